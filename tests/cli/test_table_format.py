"""--delimiter, --encoding, --quoting and --no-header say how a table is read."""

import pytest
import typer.main

from kerasnlp_lab.cli.main import app
from kerasnlp_lab.cli.rows import RowsOptions
from kerasnlp_lab.errors import OptionError

FLAGS = ["--delimiter", "--encoding", "--quoting", "--no-header"]
ROWS = "".join(f"text {i}\t{('ham', 'spam')[i % 2]}\n" for i in range(20))


@pytest.mark.parametrize(
    "path", [["train"], ["compare"], ["evaluate"], ["data", "inspect"], ["data", "shard"]]
)
def test_every_command_that_reads_labelled_tables_has_the_options(path):
    command = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    assert set(FLAGS) <= {flag for option in command.params for flag in option.opts}


@pytest.mark.parametrize("tab", ["tab", "\t", "\\t"])
def test_a_tab_can_be_typed(tab, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(ROWS)
    options = RowsOptions(
        data=path, delimiter=tab, no_header=True, text_column=["1"], label_column="2"
    )
    data = options.load()
    assert data.label_names == ("ham", "spam")
    assert data.source.format.to_json() == {"delimiter": "\t", "header": False}


def test_a_line_on_standard_error_says_what_was_found(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("text\tlabel\n" + ROWS)
    RowsOptions(data=path).load()
    assert capsys.readouterr() == ("", f"{path}: tabs between cells\n")


@pytest.mark.parametrize("option", [{"quoting": "none"}, {"no_header": True}])
def test_a_dataset_has_a_format_of_its_own(option):
    with pytest.raises(OptionError, match="belongs to a table of your own"):
        RowsOptions(dataset="sms_spam", **option).load()
