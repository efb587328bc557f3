"""The findings in the SMS file, computed once."""

import pytest

from kerasnlp_lab.data.inspection import inspect_table


@pytest.fixture(scope="session")
def sms(test_data):
    """The findings in the unchanged SMS file, split with seed 2018."""
    return inspect_table(test_data / "sms_spam" / "spamdata_v2.csv", seed=2018)
