"""Files that were made to do harm, and what veem.load must say of each."""

import io
import pickle
import struct
import zipfile
import zlib

import numpy as np


def dump(obj, protocol=2):
    """The steps that build a plain object, without a program's first and last."""
    return pickle.dumps(obj, protocol)[2:-1]


def name(module, what):
    return f"c{module}\n{what}\n".encode()


def program(*steps):
    return b"\x80\x02" + b"".join(steps) + b"."


def storage(key="0", kind="FloatStorage", count=4, place="cpu", tag="storage"):
    inside = dump(tag) + name("torch", kind) + dump(key) + dump(place) + dump(count)
    return b"(" + inside + b"tQ"


def tensor(size=(4,), stride=(1,), offset=0, stored=None, grad=False):
    place = dump(offset) + dump(size) + dump(stride) + dump(grad) + b"}"
    stored = storage() if stored is None else stored
    return name("torch._utils", "_rebuild_tensor_v2") + b"(" + stored + place + b"tR"


def archive(pickled, records=(("data/0", bytes(16)),), compress=(), root="a"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compresslevel=1) as file:
        for where, data in (("data.pkl", pickled), *records):
            kind = zipfile.ZIP_DEFLATED if where in compress else zipfile.ZIP_STORED
            file.writestr(f"{root}/{where}", data, kind)
    return out.getvalue()


def legacy(pickled, keys=("0",), data=b"\4" + bytes(23)):
    head = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    parts = [*(pickle.dumps(part, 2) for part in head), pickled]
    return b"".join([*parts, pickle.dumps(list(keys), 2), data])


def legacy_storage(count=4, view=None):
    inside = dump("storage") + name("torch", "FloatStorage") + dump("0") + dump("cpu")
    return b"(" + inside + dump(count) + dump(view) + b"tQ"


def tampered(data, field, value, signature=b"PK\x01\x02"):
    """An archive with a 32-bit field of its last record's entry overwritten."""
    at = data.rindex(signature) + field
    return data[:at] + struct.pack("<I", value) + data[at + 4 :]


def nested_records(levels=24, size=1 << 20):
    """Records that lie in each other: together they are far larger than the file."""
    body, entries = bytes(size), []
    for i in range(levels):
        entry = zipfile.ZipInfo(f"a/data/{i}")
        entry.file_size = entry.compress_size = len(body)
        entry.CRC = zlib.crc32(body)
        header = entry.FileHeader()
        entries.append((entry, len(header) + len(body)))
        body = header + body
    loads = [
        storage(str(i), "ByteStorage", e.file_size) for i, (e, _) in enumerate(entries)
    ]
    first = archive(program(b"(", *loads, b"l"), records=())
    # One archive, whose table of contents lists the records within each other too.
    out = io.BytesIO(first)
    with zipfile.ZipFile(out, "a") as file:
        base = file.start_dir
        file.fp.seek(base)
        file.fp.write(body)
        file.start_dir = base + len(body)
        for entry, length in entries:
            entry.header_offset = base + len(body) - length
            file.filelist.append(entry)
            file.NameToInfo[entry.filename] = entry
        file._didModify = True
    return out.getvalue()


def cases():
    """name -> (the file, the error's type or "" for a file that is odd but harmless,
    a part of its text)"""
    weights = "UnpicklingError"
    good = archive(program(tensor()))
    deep = b")" + b"\x85" * 150_000
    doubled = b"N" + b"2\x86" * 200
    swapped = name("numpy", "dtype") + dump(("f8", False, True)) + b"R"
    swapped += dump((3, ">", None, None, None, -1, -1, 0)) + b"b"
    large_dict = b"}(" + b"".join(b"\x8c\4%04dN" % i for i in range(10_000)) + b"u"
    steps = {
        "system": (name("os", "system") + dump("exit 1") + b"\x85R", "os.system"),
        "eval": (name("builtins", "eval") + dump("1") + b"\x85R", "builtins.eval"),
        "by_string": (dump("os") + dump("system") + b"\x93", "os.system"),
        "inst": (b"(" + dump("x") + b"ios\nsystem\n", "INST"),
        "extension": (b"\x82\x01", "EXT1"),
        "call_a_dtype": (name("torch", "float32") + b")R", "call"),
        "call_a_tensor": (tensor() + b")R", "call"),
        "call_a_class": (name("torch", "Tensor") + b")R", "call"),
        "new_tensor": (name("torch", "Tensor") + b")\x81", "new object"),
        "new_dict": (name("collections", "OrderedDict") + b")\x81", "new object"),
        "attributes_of_a_class": (name("torch", "Tensor") + b"}b", "attributes"),
        "attributes_of_a_function": (name("torch", "Size") + b"}b", "attributes"),
        "attributes_of_a_tensor": (tensor() + b"}b", "attributes"),
        "append_to_a_tuple": (b")Na", "tuple"),
        "items_of_a_list": (b"]NNs", "list"),
        "memory_of_bytes": (
            name("builtins", "bytearray") + dump(10**12) + b"\x85R",
            "no bytes",
        ),
        "codec": (name("_codecs", "encode") + dump(("x", "zip")) + b"R", "encoding"),
        "long_text": (b"\x8d" + struct.pack("<Q", 2**62), "ValueError"),
        "long_bytes": (b"\x8e" + struct.pack("<Q", 2**40), "ValueError"),
        "long_array": (b"\x96" + struct.pack("<Q", 2**40), "ValueError"),
        "long_number": (b"\x8b" + struct.pack("<i", 2**31 - 1), "ValueError"),
        "negative_length": (b"\x8b" + struct.pack("<i", -1), "ValueError"),
        "deep_key": (b"}" + deep + b"Ns", "1000 parts"),
        "deep_key_of_a_set": (
            name("builtins", "set") + b"]" + deep + b"a\x85R",
            "1000",
        ),
        "deep_key_of_a_call": (
            name("collections", "OrderedDict") + b"](" + deep + b"Ntaa\x85R",
            "",
        ),
        "doubling_key": (b"}" + doubled + b"Ns", "1000 parts"),
        "no_hash": (b"}]Ns", "TypeError"),
        "unknown_step": (b"\xff", "ValueError"),
        "marks": (b"(" * 150_000, ""),
        "pops": (b"0", "IndexError"),
        "no_mark": (b"Nt", "IndexError"),
        "short_tuple": (b"N\x87", "IndexError"),
        "two_results": (b"NN", "ValueError"),
        "no_memo": (b"h\x05", "KeyError"),
        "reference_is_text": (dump("0") + b"Q", "reference"),
        "reference_is_deep": (deep + b"Q", "reference"),
        "reference_by_text": (b"P0\n", "PERSID"),
        "tag": (storage(tag="module"), "unknown"),
        "kind": (tensor(stored=storage(kind="Tensor")), "unknown"),
        "complex": (tensor(stored=storage(kind="ComplexFloatStorage")), "Complex"),
        "sparse": (name("torch._utils", "_rebuild_sparse_tensor") + b")R", "sparse"),
        "count": (tensor(stored=storage(count=5)), "elements: 5"),
        "count_is_huge": (tensor(stored=storage(count=2**60)), "elements"),
        "count_is_negative": (tensor(stored=storage(count=-4)), "elements"),
        "count_is_text": (tensor(stored=storage(count="4")), "storage"),
        "two_dtypes": (
            tensor() + tensor((2,), stored=storage(kind="DoubleStorage", count=2)),
            "two dtypes",
        ),
        "no_record": (tensor(stored=storage("1")), "data/1"),
        "path": (tensor(stored=storage("../../../../etc/passwd")), "passwd"),
        "null": (tensor(stored=storage("0\0")), "0"),
        "place": (tensor(stored=storage(place="cuda:7")), "map_location"),
        "place_is_odd": (tensor(stored=storage(place="disk")), "disk"),
        "place_is_a_number": (tensor(stored=storage(place=7)), "7"),
        "too_large": (tensor((5,)), "leaves its storage"),
        "too_far": (tensor((2,), (4,)), "leaves its storage"),
        "offset": (tensor(offset=1), "leaves its storage"),
        "offset_is_negative": (tensor(offset=-1), "negative"),
        "offset_is_huge": (tensor(offset=2**80), "leaves its storage"),
        "stride_is_negative": (tensor(stride=(-1,)), "negative"),
        "size_is_negative": (tensor((-4,)), "negative"),
        "sizes_that_overflow": (tensor((2**33, 2**33), (2**33, 2**33)), "leaves"),
        "product_overflows": (tensor((2**40, 2**40), (0, 0)), "63 bits"),
        "size_of_100_bits": (tensor((0, 2**100), (0, 0)), "64 bits"),
        "no_sizes": (tensor(None), "sizes"),
        "size_is_text": (tensor(("4",)), "whole"),
        "size_is_bool": (tensor((True,)), "whole"),
        "more_strides": (tensor(stride=(1, 1)), "strides"),
        "dimensions": (tensor((1,) * 65, (1,) * 65), "dimensions"),
        "grad_is_text": (tensor(grad="yes"), "requires_grad"),
        "grad_of_integers": (
            tensor(stored=storage(kind="IntStorage"), grad=True),
            "grad",
        ),
        "storage_is_none": (tensor(stored=b"N"), "without a storage"),
        "copies_of_text": (
            (name("_codecs", "encode") + b"qA0" + dump("x" * 500_000) + b"qB0")
            + (b"]" + b"hAhB\x85Ra" * 400),
            "more often",
        ),
        "copies_of_bytes": (
            (name("builtins", "bytearray") + b"qA0B" + struct.pack("<I", 500_000))
            + (bytes(500_000) + b"qB0]" + b"hAhB\x85Ra" * 400),
            "more often",
        ),
        "copies_of_a_list": (
            (name("collections", "Counter") + b"qA0](" + b"K\1" * 60_000 + b"eqB0")
            + (b"]" + b"hAhB\x85Ra" * 20_000),
            "more often",
        ),
        "copies_of_an_array": (
            (name("numpy.core.multiarray", "_reconstruct") + b"qA0" + swapped + b"qC0")
            + (name("numpy", "ndarray") + b"K\0\x85C\1b\x87qD0")
            + (b"(K\1M\xe8\3\x85hC\x89B\x40\x1f\0\0" + bytes(8000) + b"tqE0")
            + (b"]" + b"hAhDRhEba" * 20_000),
            "more often",
        ),
        "copies_of_attributes": (
            (name("collections", "OrderedDict") + b"qA0" + large_dict + b"qB0")
            + (b"]" + b"hA)RhBba" * 5_000),
            "more often",
        ),
        "copies_of_a_state": (
            (name("torch._utils", "_rebuild_parameter_with_state") + b"qA0")
            + (tensor() + b"qC0" + large_dict + b"qB0]" + b"hA(hC\x88}hBtRa" * 5_000),
            "more often",
        ),
        "parameter": (
            name("torch._utils", "_rebuild_parameter") + dump((1, True, {})) + b"R",
            "without data",
        ),
        "sizes": (name("torch", "Size") + dump((("a",),)) + b"R", "sizes"),
        "device": (name("torch", "device") + dump(("a" * 10**6,)) + b"R", "device"),
        "state": (
            name("torch._tensor", "_rebuild_from_type_v2")
            + b"("
            + name("torch", "device")
            + name("torch", "Tensor")
            + dump(("cpu",))
            + b"}tR",
            "not made by",
        ),
        "class_of_tensors": (
            name("torch._tensor", "_rebuild_from_type_v2")
            + b"("
            + name("torch._utils", "_rebuild_tensor_v2")
            + name("torch", "Size")
            + b")}tR",
            "class of tensors",
        ),
    }
    harmless = {
        "memo_is_far": b"Nr\xff\xff\xff\xff",
        "frame": b"\x95" + struct.pack("<Q", 2**62) + b"N",
        "deep_list": b"]" * 150_000 + b"a" * 149_999,
        "deep_tuple": deep,
        "deep_dict": b"}" + b"K\x01}" * 100_000 + b"s" * 100_000,
        "deep_ordered": (
            name("collections", "OrderedDict")
            + (b"q\0)R" + b"K\x01h\0)R" * 50_000 + b"s" * 50_000)
        ),
        "deep_attributes": (
            (name("torch._tensor", "_rebuild_from_type_v2") + b"qA")
            + (name("torch._utils", "_rebuild_tensor_v2") + b"qB")
            + (name("torch", "Tensor") + b"qC(" + storage())
            + (dump(0) + dump((4,)) + dump((1,)) + dump(False) + b"}tqD")
            + (dump("inside") + b"qE")
            + (b"hA(hBhChD}hE" * 30_000 + b"N" + b"stR" * 30_000)
            + (b"r\xff\0\0\0" + b"0" * 6 + b"j\xff\0\0\0")
        ),
        "expanded": tensor((2**50,), (0,)),
    }
    found = {
        f"pickle.{case}": (archive(program(code)), weights, text)
        for case, (code, text) in steps.items()
    }
    for case in "no_record path null place place_is_odd grad_of_integers".split():
        found[f"pickle.{case}"] = (*found[f"pickle.{case}"][:1], "RuntimeError", "")
    for case in ("product_overflows", "size_of_100_bits", "dimensions", "device"):
        found[f"pickle.{case}"] = (
            found[f"pickle.{case}"][0],
            "RuntimeError",
            steps[case][1],
        )
    found["pickle.marks"] = (found["pickle.marks"][0], weights, "ValueError")
    for case, code in harmless.items():
        found[f"pickle.{case}"] = (archive(program(code)), "", "")
    return found | _containers(good)


def _containers(good):
    weights, broken = "UnpicklingError", "RuntimeError"
    plain = program(tensor())
    zeros = bytes(64 << 20)
    large = program(tensor((2**20,), stored=storage(count=2**24)))
    vast = archive(program(tensor(stored=storage(count=2**29))))
    last = good.rindex(b"PK\x05\x06")
    twice = archive(plain, (("data/0", bytes(16)), ("data/1", bytes(16))))
    found = {
        "empty": (b"", broken, "not a file of"),
        "text": (b"import os\n" * 9, broken, "not a file of"),
        "cut": (good[: len(good) // 2], broken, "zip"),
        "no_pickle": (
            archive(plain).replace(b"data.pkl", b"data.pkk"),
            broken,
            "data.pkl",
        ),
        "bomb": (
            archive(large, (("data/0", zeros),), ["data/0"]),
            broken,
            "compressed",
        ),
        "pickle_bomb": (
            archive(program(dump("x" * (64 << 20))), compress=["data.pkl"]),
            broken,
            "compressed",
        ),
        "checksum": (good[:40] + b"\xff" + good[41:], broken, "CRC"),
        "overlap": (nested_records(), broken, "verlap"),
        "same_names": (
            twice.replace(b"data/1", b"data/0"),
            broken,
            "same name",
        ),
        "size": (tampered(good, 24, 2**32 - 2), weights, "elements"),
        "sizes": (tampered(tampered(vast, 24, 2**31), 20, 2**31), broken, "room"),
        "where": (tampered(good, 42, 2**32 - 2), broken, "header"),
        "encrypted": (tampered(good, 6, 0x00010014), broken, "encrypted"),
        "table": (
            good[: last + 12] + b"\xff\xff\xff\x7f" + good[last + 16 :],
            broken,
            "",
        ),
        "table_at": (
            good[: last + 16] + b"\xff\xff\xff\x7f" + good[last + 20 :],
            broken,
            "",
        ),
        "program": (archive(plain, [("constants.pkl", b"")]), broken, "TorchScript"),
        "byteorder": (archive(plain, [("byteorder", b"middle")]), broken, "byte order"),
        "tar": (bytes(257) + b"ustar" + bytes(300), broken, "tar"),
        "old": (legacy(program(tensor(stored=legacy_storage()))), "", ""),
        "old_bomb": (
            legacy(program(tensor(stored=legacy_storage(2**40)))),
            weights,
            "longer",
        ),
        "old_view": (
            legacy(program(tensor(stored=legacy_storage(4, ("1", 0, 2))))),
            weights,
            "views",
        ),
        "old_cut": (
            legacy(program(tensor(stored=legacy_storage())))[:-1],
            broken,
            "early",
        ),
        "old_key": (
            legacy(program(tensor(stored=legacy_storage())), ["1"]),
            weights,
            "unknown",
        ),
        "old_count": (
            legacy(program(tensor(stored=legacy_storage())), data=b"\xff" * 24),
            weights,
            "-1",
        ),
        "old_unfilled": (
            legacy(program(tensor(stored=legacy_storage())), []),
            weights,
            "storages",
        ),
        "old_system": (
            legacy(program(name("os", "system") + dump("exit 1") + b"\x85R")),
            weights,
            "os.system",
        ),
        "old_version": (
            pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(7, 2),
            broken,
            "version",
        ),
    }
    return {f"file.{case}": what for case, what in found.items()}


def mutants(count, seed=0):
    """Sound files with a few bytes changed, cut out or doubled."""
    rng = np.random.default_rng(seed)
    pickled = program(
        b"}(", dump("a"), tensor(), dump("b"), tensor((2, 2), (1, 2)), b"u"
    )
    for i in range(count):
        kind = i % 3
        whole = pickled if kind == 0 else archive(pickled)
        whole = legacy(program(tensor(stored=legacy_storage()))) if kind == 2 else whole
        data = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            at, much = rng.integers(len(data)), rng.integers(1, 9)
            change = rng.integers(4)
            if change == 0:
                data[at] = rng.integers(256)
            elif change == 1:
                data[at] ^= 1 << rng.integers(8)
            elif change == 2:
                del data[at : at + much]
            else:
                data[at:at] = data[at : at + much]
        yield archive(bytes(data)) if kind == 0 else bytes(data)
