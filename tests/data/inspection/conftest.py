"""The SMS file, inspected once."""

import pytest

from kerasnlp_lab.data.inspection import inspect_table


@pytest.fixture(scope="session")
def sms(test_data):
    """What was found in the SMS file as it is, split by seed 2018."""
    return inspect_table(test_data / "sms_spam" / "spamdata_v2.csv", seed=2018)
