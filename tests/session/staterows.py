"""What stands in postern's state directory after a crash, and what must hold there for ever."""

import shutil
import sqlite3


def rows(pair):
    """(folder, UID) -> id and folder -> UIDNEXT, from a copy of the state as the kill left it."""
    copy = pair.work / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(pair.work / "state", copy, ignore=lambda directory, names: [
        name for name in names if (pair.work / directory / name).is_socket()])
    numbers, following = {}, {}
    for path in copy.rglob("*"):
        if not path.is_file() or path.open("rb").read(15) != b"SQLite format 3":
            continue
        with sqlite3.connect(path) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if database.execute("PRAGMA user_version").fetchone() == (0,):
                continue  # killed before the first step of the schema: nothing was told yet
            if path.name == "clients.db":
                continue  # no mailbox
            folders = dict(database.execute("SELECT key, graph_id FROM folder"))
            for folder, uid, identity in database.execute(
                    "SELECT folder, uid, graph_id FROM message WHERE uid > 0"):
                numbers[folders[folder], uid] = identity
            for key, uidvalidity, uidnext in database.execute(
                    "SELECT key, uidvalidity, uidnext FROM folder"):
                following[folders[key]] = (uidvalidity, uidnext)
        database.close()
    return numbers, following


def check_rows(known, pair):
    """Compares with all that earlier rounds saw, and adds to it."""
    numbers, following = rows(pair)
    assert known["following"].keys() <= following.keys(), "a folder is forgotten"
    for place, identity in numbers.items():
        assert known["numbers"].setdefault(place, identity) == identity, f"{place} was given twice"
    for folder, (uidvalidity, uidnext) in following.items():
        before = known["following"].get(folder, (uidvalidity, 0))
        assert uidvalidity == before[0], f"UIDVALIDITY changed: {before[0]}, {uidvalidity}"
        assert uidnext >= before[1], f"UIDNEXT fell: {before[1]}, {uidnext}"
        known["following"][folder] = (uidvalidity, uidnext)
        highest = max((uid for where, uid in numbers if where == folder), default=0)
        assert highest < uidnext or not uidnext, f"UID {highest}, UIDNEXT {uidnext}"
