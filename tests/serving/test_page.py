"""The page in a real browser: answers, contributions of words, a CSV, keyboard, phone width."""

import csv
import re
import shutil
from pathlib import Path

import pytest

from tests.explanation.test_page import BROWSERS
from tests.explanation.test_page import browser as browser  # a fixture

PAGE = Path(__file__).parents[2] / "kerasnlp_lab" / "serving" / "templates" / "page.html"
pytestmark = pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no browser")


@pytest.fixture
def page(browser, server):
    context = browser.new_context()
    page = context.new_page()
    asked, mistakes = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda message: mistakes.append(message.text))
    page.goto(server.address + "/")
    done(page)
    yield page
    assert [url for url in asked if not url.startswith((server.address, "blob:", "data:"))] == []
    assert [one for one in mistakes if not one.startswith("Failed to load resource")] == []
    context.close()


def done(page):
    """Waits without eval, which the page's policy forbids."""
    page.locator("body:not([aria-busy])").wait_for()


def answer(page, *texts):
    for box, text in zip(["#text", "#second-text"], texts, strict=False):
        page.fill(box, text)
    page.click("#ask")
    done(page)


def test_an_answer_has_the_servers_probabilities(page, client):
    text = "the cats </script><b> sat 日本 👍🏽"
    answer(page, text)
    found = client.post("/classify", json={"texts": [text], "model": "model"}).json()["answers"][0]
    assert page.locator("#answer h2").text_content() == found["label"]
    rows = page.locator("#answer tr").all_inner_texts()
    ranked = sorted(found["probabilities"].items(), key=lambda item: -item[1])
    assert [row.split("\t")[0].removesuffix(" ✓") for row in rows] == [name for name, _ in ranked]
    assert [row.split("\t")[-1] for row in rows] == [f"{100 * one:.1f}%" for _, one in ranked]
    assert page.locator("#status").text_content() == f"Answered: {found['label']}"


def test_contributions_are_those_of_leaving_each_word_out(page, client):
    text = "the cat, a dog"
    answer(page, text)
    assert page.locator("#words").is_hidden()
    page.click("#why")
    done(page)
    texts = [text, " cat, a dog", "the , a dog", "the cat, dog", "the cat, a "]
    answers = client.post("/classify", json={"texts": texts, "model": "model"}).json()["answers"]
    label = answers[0]["label"]
    whole, *others = (one["probabilities"][label] for one in answers)
    titles = page.locator("#words .text span").evaluate_all("(all) => all.map((one) => one.title)")
    found = [float(title.split()[0]) for title in titles]
    assert found == pytest.approx([100 * (whole - one) for one in others], abs=0.06)
    assert page.locator("#words .text").inner_text() == text
    assert "Each word was left out in turn" in page.locator("#words").inner_text()


def test_pairs(page):
    page.select_option("#model", "pairs")
    assert page.locator("#text-label").text_content() == "premise"
    assert page.locator("#second-label").text_content() == "hypothesis"
    answer(page, "the cat sat", "a dog")
    page.click("#why")
    done(page)
    assert page.locator("#words .text").all_inner_texts() == ["the cat sat", "a dog"]
    assert page.locator("#words .text span").count() == 5


ENTITIES = {
    "text": "👍 Ada met Bob.",
    "entities": [
        {"start": 2, "end": 5, "label": "PER", "text": "Ada", "score": 0.9},
        {"start": 10, "end": 13, "label": "ORG", "text": "Bob", "score": 0.5},
    ],
}
OTHERS = {
    "entities": (ENTITIES, "👍 Ada PER 0.90 met Bob ORG 0.50."),
    "generation": (
        {"text": "a", "output": "<b>x</b>", "score": 0.5, "complete": False},
        "Output, cut off at the longest that the model writes <b>x</b> score 0.500",
    ),
    "multi_label": (
        {"text": "a", "labels": [], "probabilities": {"x": 0.25}},
        "No label reaches its threshold. Probabilities x 25.0%",
    ),
}


@pytest.mark.parametrize("task", OTHERS)
def test_answers_of_other_tasks(page, task):
    """The server of these tests has classifications; tests/serving/test_worker.py has all tasks."""
    content, expected = OTHERS[task]
    page.evaluate(
        "([task, content]) => { Object.assign(models[0], {task, label_names: ['PER', 'ORG']});"
        " choose(); showAnswer(content); }",
        [task, content],
    )
    shown = " ".join(page.locator("#answer").inner_text().split())
    assert expected in shown


def test_a_csv(page, tmp_path):
    rows = [[str(n), f'the "cat", {n}\nsat'] for n in range(130)]
    file = tmp_path / "mine.csv"
    with file.open("w", newline="") as target:
        csv.writer(target).writerows([["id", "text"], *rows])
    page.set_input_files("#file", file)
    done(page)
    assert page.locator("#status").text_content() == "mine.csv: 130 rows."
    assert page.locator("#column option:checked").text_content() == "text"
    page.click("#run")
    done(page)
    assert page.locator("#status").text_content() == "Answered: 130 rows."
    with page.expect_download() as download:
        page.click("#rows a")
    download.value.save_as(tmp_path / "answers.csv")
    with (tmp_path / "answers.csv").open(newline="") as source:
        head, *found = csv.reader(source)
    assert head == ["id", "text", "label", "probability"]
    assert [row[:2] for row in found] == rows
    assert all(0 < float(row[3]) <= 1 for row in found)


@pytest.mark.parametrize(
    "content, message",
    [
        ("text\n", "The file has no rows below its first, which must name the columns."),
        ("a,b\n1,2\n3\n", "Row 2 has 1 cells, and the first line names 2 columns."),
        ('a\n"x', "The file ends within a quoted cell."),
    ],
)
def test_a_csv_that_cannot_be_read(page, tmp_path, content, message):
    (tmp_path / "bad.csv").write_text(content)
    page.set_input_files("#file", tmp_path / "bad.csv")
    done(page)
    assert page.locator("#status").text_content() == message
    assert page.locator("#columns").is_hidden()


def test_it_works_by_keyboard_alone(page):
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("the cat")
    page.keyboard.press("Control+Enter")
    done(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#words").wait_for()


def test_every_control_has_a_name_and_the_status_is_read_aloud(page):
    unnamed = page.evaluate(
        "[...document.querySelectorAll('input, textarea, select, button')]"
        ".filter((one) => !(one.labels?.length || one.textContent.trim())).map((one) => one.id)"
    )
    assert unnamed == []
    assert page.get_by_role("status").get_attribute("aria-live") == "polite"
    assert page.get_by_role("textbox", name="Text").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"


def test_it_fits_a_phone(page):
    page.set_viewport_size({"width": 360, "height": 640})
    answer(page, "word " * 50 + "x" * 300)
    page.click("#why")
    done(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_mistakes_are_said(page):
    page.evaluate("run(() => answers([['a', 'b']], ''))")
    done(page)
    message = page.locator("#status").text_content()
    assert message == 'the text at place 0, from 0, must be a string, got ["a", "b"]'


def test_the_page_is_one_file_that_asks_nobody_else(client):
    found = client.get("/")
    assert found.headers["content-security-policy"].startswith("default-src 'none'")
    assert re.findall(r"(?:src|href)=\"(?!data:|docs)[^\"]*\"", found.text) == []
    assert "http" not in found.text
    assert found.text == PAGE.read_text(encoding="utf-8")
