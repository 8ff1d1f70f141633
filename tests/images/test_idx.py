import gzip
import hashlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cnntheory.images import content_hash, read_idx, times


@given(array=arrays(np.uint8, array_shapes(max_dims=3)), packed=st.booleans())
def test_idx_is_read_plain_and_gzipped(tmp_path_factory, idx, array, packed):
    path = tmp_path_factory.getbasetemp() / "array.idx"
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    np.testing.assert_array_equal(read_idx(path), array)
    np.testing.assert_array_equal(read_idx(path, content_hash(array)), array)
    assert content_hash(array) == hashlib.sha256(idx(array)).hexdigest()


def test_content_hash_depends_on_values_shapes_and_order_but_not_on_memory_layout(six, idx):
    pictures, labels = six["test_images"], six["test_labels"]
    base = content_hash(pictures, labels)
    assert base == content_hash(np.asfortranarray(pictures), labels)
    assert base == hashlib.sha256(idx(pictures) + idx(labels)).hexdigest()
    others = [
        (pictures.swapaxes(1, 2), labels),
        (pictures.reshape(2, 14, 56), labels),
        (labels, pictures),
    ]
    hashes = {content_hash(*other) for other in others}
    assert len(hashes | {base}) == 4


WHOLE = b"\0\0\x08\3" + bytes([0, 0, 0, 6, 0, 0, 0, 28, 0, 0, 0, 28]) + bytes(range(196)) * 24
PACKED = gzip.compress(WHOLE)


@pytest.mark.parametrize(
    ("content", "expected", "found"),
    [
        (b"", "magic number", "an empty file"),
        (b"\0\0", "magic number", "00 00"),
        (b"\x89PNG\r\n", "magic number", "89 50 4e 47"),
        (b"\0\0\x0d\3" + bytes(20), "unsigned bytes", "00 00 0d 03"),
        (b"\0\0\x08\0", "magic number", "00 00 08 00"),
        (b"\0\0\x08\3" + bytes(8), "a header of 16 bytes", "12 bytes"),
        (WHOLE[:-1], "4720 bytes for an array of 6 x 28 x 28", "4719"),
        (WHOLE + b"\0", "4720 bytes", "4721"),
        (PACKED[:-100], "a whole gzip file", "truncated"),
        (PACKED[:99] + bytes([PACKED[99] ^ 255]) + PACKED[100:], "a whole gzip file", "damaged"),
    ],
)
def test_a_defect_names_file_expected_found_and_mend(tmp_path, content, expected, found):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        read_idx(path)
    message = str(error.value)
    assert message.startswith(f"{path}: expected ")
    assert expected in message.split("found")[0] and found in message.split("found", 1)[1]
    assert message.endswith("; replace it by an intact copy")


def test_no_more_is_unpacked_than_the_header_states(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(WHOLE + bytes(100_000_000)))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"expected 4720 bytes .* found at least 4721;"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_no_more_is_taken_from_memory_than_there_is(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(b"\0\0\x08\2" + b"\xff" * 8 + bytes(100))
    with pytest.raises(ValueError, match=r"expected 18446744065119617037 bytes .* found 112;"):
        read_idx(path)


def test_a_bound_is_told_before_anything_is_read(tmp_path):
    (tmp_path / "images").write_bytes(PACKED)
    assert read_idx(tmp_path / "images", largest=4720).shape == (6, 28, 28)
    with pytest.raises(ValueError, match="images: expected at most 4719 bytes, found an"):
        read_idx(tmp_path / "images", largest=4719)


def test_several_packed_parts_are_one_file(tmp_path):
    (tmp_path / "images").write_bytes(gzip.compress(WHOLE[:99]) + gzip.compress(WHOLE[99:]))
    assert read_idx(tmp_path / "images").tobytes() == WHOLE[16:]


def test_shapes_that_no_array_can_have_are_refused(tmp_path):
    for axes, lengths in [(65, b"\0\0\0\1" * 65), (4, b"\0" * 4 + b"\xff" * 12)]:
        content = bytes([0, 0, 8, axes]) + lengths
        (tmp_path / "images").write_bytes(content + b"\0" * (axes == 65))
        with pytest.raises(ValueError, match=r"images: .*; replace it by an intact copy"):
            read_idx(tmp_path / "images")


@pytest.mark.parametrize("name", ["absent", "."])
def test_what_is_no_file_is_a_value_error(tmp_path, name):
    with pytest.raises(ValueError, match=r"expected an IDX file, found: (No such|Is a dir)"):
        read_idx(tmp_path / name)


def test_shapes_are_told_in_words():
    assert times((60000, 28, 28)) == "60000 x 28 x 28"
    assert times((5,)) == "5"
