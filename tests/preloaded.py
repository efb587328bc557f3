"""What the server of tests/processes.py imports before it forks: all that a command may need.

Importing must start no thread of TensorFlow's: the processes forked afterwards would not have it.
"""

import kerasnlp_lab.bert
import kerasnlp_lab.cli.main
import kerasnlp_lab.export
import kerasnlp_lab.hub
import kerasnlp_lab.lab
import kerasnlp_lab.training.fit  # noqa: F401
