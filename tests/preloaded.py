"""The imports that the server of tests/processes.py makes before it forks processes.

They must not start a TensorFlow thread, because forked processes would lack it.
"""

import kerasnlp_lab.bert
import kerasnlp_lab.cli.main
import kerasnlp_lab.export
import kerasnlp_lab.hub
import kerasnlp_lab.lab
import kerasnlp_lab.training.fit  # noqa: F401
