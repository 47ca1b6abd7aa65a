"""clean: repairs damaged text, leaves other text alone, and is idempotent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.inputs.cleaning import clean, clean_line

MOJIBAKE = [*["Ã©", "â€œ", "Ã—", "Â³", "Â±", "â€¨", "Ã\x00©", "Ãƒ\x01Â©"], *"\x85\x93\ud83d\ude00\u2028\r"]
dirty = st.lists(st.one_of(st.text(max_size=5), st.sampled_from(MOJIBAKE)), max_size=8).map("".join)
dirty_with_surrogates = st.lists(st.one_of(dirty, st.characters(categories=["Cs", "Cc"])), max_size=8).map("".join)


@given(dirty_with_surrogates)
def test_clean_is_idempotent(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_line(clean_line(text)) == clean_line(text)


@given(dirty_with_surrogates)
def test_clean_text_can_be_encoded_and_has_one_kind_of_line_end(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert cleaned.split("\n") == (cleaned.splitlines() or [""])
    assert "\x00" not in cleaned
    assert clean_line(text).split() == clean_line(text).split(" ") or not clean_line(text)


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_ascii_text_is_only_stripped(text: str) -> None:
    assert clean(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "Ω_Λ = 0.685 ± 0.007, H₀ = 67.4 km s⁻¹ Mpc⁻¹ and σ₈ ≈ 0.81",
        r"the relation $M_\bullet \propto \sigma^{4.38}$ holds at 5\,\AA\ resolution, H\"ubner \& co.",
        "α β γ δ Δν/ν; 6563 Å; 10⁻¹⁶ erg s⁻¹ cm⁻² Å⁻¹; 3 µm; ½ M☉; 5′ × 3″; −2 °C",
        "“Curly”, ‘quotes’, an ﬁ ligature, naïve Ångström, R&amp;D &lt; 3σ",
        "Γ© ΔΓ Ö„ σ² Â ≤ β",
        "a\tb\n\n\nc",
        "黒体放射 и красное смещение",
    ],
)
def test_scientific_text_is_unchanged(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3Ã—10Â³ M", "3×10³ M"),
        ("itâ€™s GarcÃ\xada", "it’s García"),
        ("whole: 5 Å\nbroken: 5 Â± 1", "whole: 5 Å\nbroken: 5 ± 1"),
        ("a\x00b\x07c\x7f\ufeffd", "abcd"),
        ("a\r\nb\rc\x0bd\x0ce", "a\nb\nc\nd\ne"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("and so on\x85 \x93so\x94", "and so on… “so”"),
        ("\x00 \u2028\x1f", ""),
        ("lone \ud83d, pair \ud83d\ude00", "lone \ufffd, pair \U0001f600"),
    ],
)
def test_damage_is_repaired(text: str, expected: str) -> None:
    assert clean(text) == expected
