"""The page on languages: each example gives the answers that the page shows."""

import pytest
import tensorflow_text  # noqa: F401  # a page that imports it first would register its ops twice

from tests.docs.pages import blocks, read

PAGE = "docs/guides/languages.md"
ANSWERS = [
    "['スポーツ', '経済']",
    "['銀', '行', 'が', 'AI', 'に', '投', '資']",
    "['体育', '财经']",
    "['กีฬา', 'เศรษฐกิจ']",
    "['رياضة', 'اقتصاد']",
    "['Sport', 'Wirtschaft']",
]


@pytest.mark.slow  # tests/text and tests/zoo/test_tfidf_tokens.py have such languages
def test_the_examples_give_their_answers(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = [block.text for block in blocks(read(PAGE)) if block.language == "python"]
    exec(compile("\n".join(code), PAGE, "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.splitlines() == ANSWERS
