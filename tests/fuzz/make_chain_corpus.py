#!/usr/bin/env python3
"""Writes the seeds of scale_fuzz, metadata_fuzz and rpc_message_fuzz."""
import os

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def write(target, name, data):
    os.makedirs(os.path.join(HERE, target), exist_ok=True)
    with open(os.path.join(HERE, target, name), "wb") as file:
        file.write(data)


def compact(n):
    if n < 64:
        return bytes([n << 2])
    if n < 1 << 14:
        return ((n << 2) | 1).to_bytes(2, "little")
    return ((n << 2) | 2).to_bytes(4, "little")


def text(s):
    return compact(len(s)) + s.encode()


def vec(items):
    return compact(len(items)) + b"".join(items)


NONE, NO_DOCS = b"\0", compact(0)


def field(kind, name=None):
    return (NONE if name is None else b"\1" + text(name)) + compact(kind) + NONE + NO_DOCS


def variant(name, fields, index):
    return text(name) + vec(fields) + bytes([index]) + NO_DOCS


def kind(number, definition, path=(), params=()):
    head = compact(number) + vec([text(p) for p in path]) + vec(list(params))
    return head + definition + NO_DOCS


def param(name, number):
    return text(name) + b"\1" + compact(number)


def types():
    """bool, u16, Vec<u16>, (), calls, errors, MultiAddress, AccountId32 ... and the extrinsic."""
    u8_array = b"\3" + (32).to_bytes(4, "little") + compact(1)
    return vec([
        kind(0, b"\5\0"),
        kind(1, b"\5\3"),
        kind(2, b"\5\4"),
        kind(3, b"\2" + compact(2)),
        kind(4, b"\4" + vec([])),
        kind(5, b"\1" + vec([variant("set", [field(2, "netuid"), field(3, "values")], 4)]),
             ["Call"]),
        kind(6, b"\1" + vec([variant("TooFast", [], 9)]), ["Error"]),
        kind(7, u8_array),
        kind(8, b"\0" + vec([field(7)]), ["AccountId32"]),
        kind(9, b"\1" + vec([variant("Id", [field(8)], 0)]), ["MultiAddress"]),
        kind(10, b"\0" + vec([field(4)]), ["UncheckedExtrinsic"],
             [param("Address", 9), param("Call", 5), param("Signature", 7), param("Extra", 4)]),
        kind(11, b"\4" + vec([compact(2), compact(8)])),
        kind(12, b"\6" + compact(2)),
    ])


def storage(version):
    tail = b"\0" if version == 16 else b""
    plain = text("Tempo") + b"\1\0" + compact(2) + compact(2) + b"\x68\x01" + NO_DOCS + tail
    double = (text("Uids") + b"\0\1" + vec([b"\6", b"\2"]) + compact(11) + compact(2) +
              compact(1) + b"\0" + NO_DOCS + tail)
    return b"\1" + text("One") + vec([plain, double])


def enum(number, version):
    return b"\1" + compact(number) + (compact(0) if version == 16 else b"")


def pallet(version):
    tail = b"\0" if version == 16 else b""
    constant = text("Limit") + compact(2) + compact(2) + b"\7\0" + NO_DOCS + tail
    out = text("One") + storage(version) + enum(5, version) + NONE
    out += vec([constant]) + enum(6, version)
    if version == 16:
        out += vec([]) + vec([])
    out += b"\7"
    if version >= 15:
        out += NO_DOCS
    return out + tail


def metadata(version):
    extensions = vec([text("CheckNonce") + compact(12) + compact(4)])
    out = b"meta" + bytes([version]) + types() + vec([pallet(version)])
    if version == 14:
        return out + compact(10) + b"\4" + extensions + compact(4)
    method_tail = b"\0" if version == 16 else b""
    method = text("ask") + vec([text("netuid") + compact(2)]) + compact(3) + NO_DOCS + method_tail
    api = text("Api") + vec([method]) + NO_DOCS + (compact(1) + b"\0" if version == 16 else b"")
    if version == 15:
        out += b"\4" + compact(9) + compact(5) + compact(7) + compact(4)
        out += extensions + compact(4)
    else:
        out += vec([b"\4", b"\5"]) + compact(9) + compact(5) + compact(7)
        out += vec([b"\0" + vec([compact(0)])]) + extensions
    custom = vec([text("k") + compact(2) + compact(1) + b"\1"])
    return out + vec([api]) + compact(5) + compact(6) + compact(6) + custom


def scale():
    account = bytes(range(32))
    rows = {
        "bool": (0, b"\1"), "u128": (5, bytes(16)), "i64": (7, b"\xff" * 8),
        "compact": (11, compact(70000)),
        "compact_long": (11, b"\x13" + b"\xff" * 8), "bytes": (12, b"\x0cabc"),
        "account": (15, account),
        "option": (16, b"\1\7\0"), "address": (17, b"\0" + account),
        "row": (19, b"\x08\1\0\2\0\3\0\4\0"),
        "struct": (20, bytes(8) + account + b"\0"),
        "list": (21, b"\x04" + bytes(8) + account + b"\1\5\0"),
        "enum": (23, b"\x03\1\0" + bytes(16)), "map": (24, b"\x04\1\0\2\0"),
        "text": (26, b"\x14hello"),
        "nested": (29, b"\4" * 70 + b"\0"), "nothings": (30, b"\xfe\xff\xff\xff"),
        "bits": (31, b"\x28\xff\1"),
        "tree": (32, b"\1\1\0\0\0"), "many": (33, b""),
    }
    for name, (number, data) in rows.items():
        write("scale", "seed_" + name, bytes([number]) + data)


def rpc():
    header = ('{"parentHash":"0x%s","number":"0x1f","stateRoot":"0x%s","extrinsicsRoot":"0x%s",'
              '"digest":{"logs":["0x0661"]}}' % ("11" * 32, "22" * 32, "33" * 32))
    version = '{"specName":"node-subtensor","specVersion":424,"transactionVersion":1}'
    rows = {
        "result": '{"jsonrpc":"2.0","id":1,"result":%s}' % header,
        "version": '{"jsonrpc":"2.0","id":2,"result":%s}' % version,
        "batch": '[{"id":2,"result":"b"},{"id":1,"result":"a"}]',
        "error": '{"id":1,"error":{"code":1010,"message":"Invalid Transaction",'
                 '"data":"Custom error: 6"}}',
        "complaint": '{"id":null,"error":{"code":-32700,"message":"Parse error"}}',
        "notification": '{"method":"chain_newHead","params":{"subscription":"abc",'
                        '"result":%s}}' % header,
        "subscribed": '{"id":1,"result":"abc"}',
        "deep": "[" * 97 + "]" * 97,
        "surrogate": '{"id":1,"result":"\\ud800"}',
    }
    for name, data in rows.items():
        write("rpc_message", "seed_" + name, data.encode())


scale()
rpc()
for v in (14, 15, 16):
    write("metadata", "seed_v%d" % v, metadata(v))
    write("metadata", "seed_v%d_cut" % v, metadata(v)[:-20])
