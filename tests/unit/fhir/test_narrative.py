import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.fhir.model.narrative import DEPTH_MAX, is_plain, is_xhtml, without_html_entities

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">%s</div>'


@pytest.mark.parametrize("inside", ["", "a", "<p>a<br/></p>", "&nbsp;&amp;&#160;", "<!-- a -->", "<script>a</script>", "<b>ä</b>"])
def test_one_well_formed_div_is_xhtml(inside: str) -> None:
    assert is_xhtml(DIV % inside)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "<div>a</div>", '<p xmlns="http://www.w3.org/1999/xhtml">a</p>', DIV % "<p>a", DIV % "<br>", DIV % "" + DIV % "",
        DIV % "&no;",
        '<!DOCTYPE div [<!ENTITY a "b">]>' + DIV % "&a;", "<?xml-stylesheet href='a'?>" + DIV % "a",
        '<?xml version="1.0"?>' + DIV % "a", DIV % '<svg xmlns="http://a.org"/>',
        DIV % ("<p>" * DEPTH_MAX + "</p>" * DEPTH_MAX), DIV % "\x00", DIV % "\ud800",
    ],
)  # fmt: skip
def test_anything_else_is_not(text: str) -> None:
    assert not is_xhtml(text)
    assert not is_plain(text)


@pytest.mark.parametrize(
    "inside",
    [
        '<a href="https://a.org">a</a>', '<a href="#a">a</a>', '<a href="Patient/1?a=b:c">a</a>', '<a name="a"/>',
        '<p style="color: red">a</p>',
        '<img src="data:image/png;base64,AA==" alt="a"/>', "<table><tr><td colspan='2'>a</td></tr></table>", '<p xml:lang="de">a</p>',
    ],
)  # fmt: skip
def test_formatting_links_and_images_are_plain(inside: str) -> None:
    assert is_plain(DIV % inside)


@pytest.mark.parametrize(
    "inside",
    [
        "<script>a</script>", "<form/>", "<iframe/>", "<object/>", "<input/>", "<style>a</style>", "<ins>a</ins>", "<video/>",
        '<p onclick="a()">a</p>', '<a href="javascript:a()">a</a>', '<a href=" JavaScript:a()">a</a>', '<a href="java&#9;script:a()">a</a>',
        '<a href="data:text/html,a">a</a>', '<img src="file:///a"/>', '<p srcdoc="a">a</p>',
    ],
)  # fmt: skip
def test_what_could_act_is_not_plain(inside: str) -> None:
    assert is_xhtml(DIV % inside)
    assert not is_plain(DIV % inside)


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    assert is_xhtml(text) in (True, False)
    assert is_plain(DIV % text) in (True, False)


def test_names_of_characters_become_the_characters() -> None:
    assert without_html_entities("&nbsp;&eacute;&amp;&lt;&unknown;&#160;") == "\xa0é&amp;&lt;&unknown;&#160;"
