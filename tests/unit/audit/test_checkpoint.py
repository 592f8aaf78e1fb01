"""Checkpoints and signed notes, held against the examples of their specifications."""

import pytest

from carewright.audit.model.checkpoint import Head, head_of, notes_in, request_of, size_of, text_of
from carewright.kernel.errors import BadInput
from carewright.kernel.notes import Signer, Verifier
from carewright.kernel.settings import StartFailed

EXAMPLE = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SIGNER = Signer("example.com/log", bytes(range(32)))
GO = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The verifier key and the note of the documentation of Go's golang.org/x/mod/sumdb/note, whose format this is."""


def test_the_example_of_the_specification_is_read_and_written() -> None:
    head = head_of(EXAMPLE)
    assert head is not None
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert text_of(head) == EXAMPLE


@pytest.mark.parametrize(
    "text", ["", "a\n1\n", "a\n-1\nAAAA\n", "a\n1\n!!\n", "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", "a\n1\nAAAA\n"]
)
def test_what_is_no_checkpoint_is_none(text: str) -> None:
    assert head_of(text) is None
    assert size_of(text) == 0


def test_a_note_that_another_program_signed_is_verified() -> None:
    assert Verifier(GO).opened(GO_NOTE) == GO_NOTE.partition("\n\n")[0] + "\n"
    assert Verifier(GO).opened(GO_NOTE.replace("answer", "reply")) is None


def test_a_signed_note_is_opened_by_its_key_and_by_no_other() -> None:
    note = SIGNER.sign(EXAMPLE)
    assert Verifier(SIGNER.verifier_key).opened(note) == EXAMPLE
    assert Verifier(Signer("example.com/log", bytes(32)).verifier_key).opened(note) is None
    assert Verifier(SIGNER.verifier_key).opened(note.replace("20852163", "20852164")) is None
    assert Verifier(SIGNER.verifier_key).opened(EXAMPLE) is None
    assert Verifier(SIGNER.verifier_key).opened(note + "\u2014 witness.example/w AAAAAGFi\n") == EXAMPLE


@pytest.mark.parametrize("key", ["", "a+b", "a+00000000+AAAA", SIGNER.verifier_key.replace("log", "dog"), "x+y+!!"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(BadInput):
        Verifier(key)


@pytest.mark.parametrize("name", ["", "a b", "a+b"])
def test_a_log_cannot_have_a_name_that_no_note_can_carry(name: str) -> None:
    with pytest.raises(StartFailed):
        Signer(name, bytes(32))


def test_notes_that_are_kept_one_behind_another_are_told_apart() -> None:
    notes = [SIGNER.sign(text_of(Head("example.com/log", size, bytes(32)))) for size in (1, 2, 3)]
    notes[1] += "\u2014 witness.example/w AAAA\n"
    assert notes_in("".join(notes)) == notes
    assert notes_in("") == []


def test_a_witness_is_asked_in_its_own_form() -> None:
    assert request_of(7, [bytes(32)], "note\n") == f"old 7\n{'A' * 43}=\n\nnote\n"
