"""The page works in a real browser, without a network."""

import shutil

import numpy as np
import pytest

from kerasnlp_lab.explanation import explain, explanation_page

TEXT = "the cats </script><b> & ran, हिन्दी\n日本 مرحبا 👍🏽 dog"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def browser():
    found = [path for name in BROWSERS if (path := shutil.which(name))]
    if not found:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    sync_api = pytest.importorskip("playwright.sync_api")
    options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found[0], args=options)
        yield browser
        browser.close()


# A BERT's word pieces are joined to words, and both can be shown.
@pytest.fixture(
    scope="module", params=["bert", pytest.param("transformer", marks=pytest.mark.slow)]
)
def found(request, explained):
    return explain(explained[request.param], TEXT)


@pytest.fixture
def page(browser, found, tmp_path):
    (tmp_path / "explanation.html").write_text(explanation_page(found), encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    asked, mistakes = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda message: mistakes.append(message.text))
    page.goto((tmp_path / "explanation.html").as_uri())
    yield page
    assert [url for url in asked if not url.startswith("file:")] == []
    assert mistakes == []
    context.close()


def shown(page):
    names, values = page.evaluate(
        "(() => { const s = shown(); return [s.names, [...s.matrix]] })()"
    )
    return names, np.reshape(values, (len(names), len(names)))


def test_every_layer_and_head_can_be_chosen(page, found):
    layers, heads = found.attention.shape[:2]
    assert page.locator("#head").is_disabled()  # the rollout has no heads
    np.testing.assert_allclose(shown(page)[1], found.over_words(found.rollout), atol=1e-4)
    for layer in range(1, layers + 1):
        page.select_option("#layer", str(layer))
        for head in range(heads + 1):
            page.select_option("#head", str(head))
            of_layer = found.attention[layer - 1]
            matrix = of_layer[head - 1] if head else of_layer.mean(axis=0)
            page.select_option("#unit", "words")
            names, values = shown(page)
            assert names == list(found.units)
            np.testing.assert_allclose(values, found.over_words(matrix), atol=1e-4)
            page.select_option("#unit", "tokens")
            names, values = shown(page)
            assert names == [token.text for token in found.tokens]
            np.testing.assert_allclose(values, matrix, atol=1e-4)


def test_the_matrix_is_drawn_and_shows_its_numbers(page, found):
    expected = found.over_words(found.rollout)
    cells = page.locator("#picture rect")
    assert cells.count() == expected.size
    opacity = cells.evaluate_all(
        "(all) => all.map((one) => Number(one.getAttribute('fill-opacity')))"
    )
    np.testing.assert_allclose(opacity, (expected / expected.max()).ravel(), atol=1e-3)
    assert page.locator("#picture text.row").all_text_contents() == list(found.units)
    cells.nth(1).hover()
    told = page.locator("#value").text_content()
    assert f"{found.units[0]}\u2069 looks at \u2068{found.units[1]}" in told
    assert f"{100 * expected[0, 1]:.1f}%" in told


def test_lines_between_words(page, found):
    page.select_option("#view", "lines")
    page.select_option("#layer", "1")
    page.select_option("#head", "1")
    expected = found.over_words(found.attention[0, 0])
    lines = page.locator("#picture line")
    assert abs(lines.count() - (expected >= 0.01).sum()) <= 1  # the page rounds to 16 bits
    assert lines.count() > 5
    page.locator("#picture text.row").nth(1).hover()
    lit = page.locator("#picture line:not(.faint)").count()
    assert abs(lit - (expected[1] >= 0.01).sum()) <= 1


def test_the_page_shows_the_text_unchanged(page, found):
    assert page.locator("#text").text_content() == TEXT
    titles = page.locator("#text span").evaluate_all("(all) => all.map((one) => one.title)")
    for word, value, title in zip(found.words, found.word_contributions, titles, strict=True):
        if word.tokens:
            assert float(title) == pytest.approx(value, abs=1e-4)
        else:
            assert title == "not read"


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens the page of an explanation."""
    page = browser.new_page()
    mistakes = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))

    def open_page(explanation):
        (tmp_path / "explanation.html").write_text(explanation_page(explanation), encoding="utf-8")
        page.goto((tmp_path / "explanation.html").as_uri())
        return page

    yield open_page
    assert mistakes == []
    page.close()


def test_a_pool_has_one_row(opened, rnn_attention):
    found = explain(rnn_attention, "the cats, ran")
    page = opened(found)
    opacity = page.locator("#picture rect").evaluate_all(
        "(all) => all.map((one) => Number(one.getAttribute('fill-opacity')))"
    )
    shares = found.over_words(found.rollout)[0]
    np.testing.assert_allclose(opacity, shares / shares.max(), atol=1e-3)
    page.locator("#picture rect").nth(1).hover()
    assert f"{100 * shares[1]:.1f}%" in page.locator("#value").text_content()
    assert [page.locator(f"#{name}").is_visible() for name in ("layer", "view", "unit")] == [
        False,
        False,
        True,
    ]


def test_without_attention_the_page_has_the_contributions(opened, lstm):
    page = opened(explain(lstm, "the cats, ran"))
    assert page.locator("#text span.read").count() == 3  # not the comma
    assert page.locator("#picture").count() == 0
    assert page.locator("#probabilities .bar").count() == 3


@pytest.mark.parametrize(
    "text, language",
    [
        ("the dog ran", ""),
        ("the dog 日本 ran home", ""),
        ("日本の東京へ dog", "ja"),
        ("中国人民 dog", "zh"),
        ("한국어", "ko"),
        ("مرحبا dog", ""),
    ],
)
def test_the_language_of_a_text_decides_how_it_is_drawn(explained, text, language):
    page = explanation_page(explain(explained["transformer"], text))
    assert f'<p id="text" dir="auto" lang="{language}"></p>' in page
    assert f'<div id="picture" lang="{language}"></div>' in page


def test_it_fits_a_narrow_window(page):
    page.set_viewport_size({"width": 400, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
