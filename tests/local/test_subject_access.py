"""`trellis subject-access`: everything that is held of one person, in a file for one pair of eyes."""

import io
import stat
import zipfile
from pathlib import Path
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import text

from tests.kit.people.test_erasing import add_change
from tests.support.databases import Sandbox
from tests.support.tokens import OTHER_TRUST, PROSPERE
from trellis.docs import DEFINITIONS, definition_of
from trellis.subject_access import PersonUnknown, gather, main, private_archive

PERSON = uuid4()


async def add_person(database: Sandbox, person_id: UUID = PERSON) -> None:
    """Somebody of a trust."""
    async with database.admin() as admin:
        await admin.execute(
            text(
                "insert into identity.tenant"
                " (id, group_uid, name, is_active, created_at, created_by, updated_at, version)"
                " values (:id, '16846', 'Prospere', true, now(), 'identity', now(), 1) on conflict do nothing"
            ),
            {"id": PROSPERE},
        )
        await admin.execute(
            text(
                "insert into identity.person"
                " (trust_id, id, email, is_active, created_at, created_by, updated_at, version)"
                " values (:trust, :id, :email, true, now(), 'client:1', now(), 1)"
            ),
            {"trust": PROSPERE, "id": person_id, "email": f"{person_id}@example.org"},
        )


async def gathered(database: Sandbox, person_id: UUID = PERSON) -> zipfile.ZipFile:
    """The archive of a person."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        await gather(person_id, archive, {service: database.of(service) for service in DEFINITIONS})
    return zipfile.ZipFile(file)


async def test_the_archive_has_every_table_and_says_why_in_plain_words(database: Sandbox) -> None:
    await add_person(database)
    await add_person(database, uuid4())
    async with database.admin() as admin:
        changes = [await add_change(admin, f"person:{PERSON}") for _ in range(2)]
        await add_change(admin, f"person:{PERSON}", OTHER_TRUST)
        await add_change(admin, f"person:{uuid4()}")
    archive = await gathered(database)
    declared = {
        f"{service}/{table.name}.json" for service in DEFINITIONS for table in definition_of(service).personal_tables
    }
    assert set(archive.namelist()) == declared | {"README.txt"}
    (person,) = orjson.loads(archive.read("identity/person.json"))
    assert person["email"] == f"{PERSON}@example.org"
    found = orjson.loads(archive.read("academy/state_change.json"))
    assert {row["id"] for row in found} == {str(id_) for id_ in changes}
    assert orjson.loads(archive.read("research/state_change.json")) == []
    readme = archive.read("README.txt").decode()
    assert str(PERSON) in readme
    assert "academy/state_change.json: 2 rows\n  Who moved something" in readme
    assert "identity/person.json: 1 row\n" in readme
    assert all(name in readme for name in declared)


async def test_somebody_whom_no_trust_knows_is_refused(database: Sandbox) -> None:
    with pytest.raises(PersonUnknown):
        await gathered(database, uuid4())


def test_only_the_owner_can_read_the_file_and_none_is_replaced_or_left_half(tmp_path: Path) -> None:
    path = tmp_path / "person.zip"
    with private_archive(path) as archive:
        archive.writestr("README.txt", "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError), private_archive(path):
        pass
    assert path.exists()
    other = tmp_path / "other.zip"
    with pytest.raises(PersonUnknown), private_archive(other):
        raise PersonUnknown
    assert not other.exists()


def test_arguments_that_are_none_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
