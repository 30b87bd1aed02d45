"""Letters as files: whole or not at all, and never twice."""

import os
from email import message_from_bytes
from pathlib import Path

import pytest

from engine.terms import DeliveryState
from workflows.channels.file import FileChannel, file_name
from workflows.channels.letter import Letter

LETTER = Letter("<a1@example.com>", "cs@example.com", "Ann", "ann@customer.example", "Hello", "Text", "<p>Text</p>")


def test_a_letter_becomes_one_file_named_by_its_message_id(tmp_path: Path) -> None:
    verdict = FileChannel(tmp_path / "out").send(LETTER)
    assert verdict.state is DeliveryState.SENT
    [path] = (tmp_path / "out").iterdir()
    assert path.name == "a1@example.com.eml"
    assert message_from_bytes(path.read_bytes())["Subject"] == "Hello"


def test_the_same_message_id_is_never_written_twice(tmp_path: Path) -> None:
    path = tmp_path / file_name(LETTER.message_id)
    path.write_text("the first one")
    assert FileChannel(tmp_path).send(LETTER).state is DeliveryState.SENT
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(path.name, "the first one")]


def test_a_folder_that_cannot_be_written_means_not_sent(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    verdict = FileChannel(tmp_path / "out").send(LETTER)
    assert verdict.state is DeliveryState.NOT_SENT
    assert not verdict.permanent
    assert "could not be written" in verdict.reason


def test_a_failure_before_the_file_appears_leaves_nothing_to_be_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    verdict = FileChannel(tmp_path).send(LETTER)
    assert verdict.state is DeliveryState.NOT_SENT
    assert list(tmp_path.glob("*.eml")) == []


def test_a_name_cannot_lead_out_of_the_folder() -> None:
    assert "/" not in file_name("<../../etc/passwd@x>")
