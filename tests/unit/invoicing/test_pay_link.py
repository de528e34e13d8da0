"""Pay link tokens: found by their ids, proven by the key."""

from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import new_id
from services.invoicing.domain.pay_link import ids_of, token_of

KEY = b"k" * 32


def test_a_token_leads_back_to_its_ids() -> None:
    organization_id, pay_link_id = new_id("org"), new_id("plk")
    token = token_of(KEY, organization_id, pay_link_id)
    assert ids_of(KEY, token) == (organization_id, pay_link_id)
    assert ids_of(b"x" * 32, token) is None
    assert token == token_of(KEY, organization_id, pay_link_id)


@given(st.text(max_size=120))
def test_no_other_text_is_a_token(text: str) -> None:
    assert ids_of(KEY, text) is None


@given(st.integers(0, 95), st.characters(codec="ascii"))
def test_a_changed_token_is_none(at: int, sign: str) -> None:
    token = token_of(KEY, "org_01jabcdefghjkmnpqrstvwxyz0", "plk_01jabcdefghjkmnpqrstvwxyz0")
    changed = token[:at] + sign + token[at + 1 :]
    assert changed == token or ids_of(KEY, changed) is None
