#!/usr/bin/env python3
"""Makes about 90 MB of English out of Debian packages, for tests/bench/quality to train on.

  tests/bench/quality_text.py OUT     writes OUT/train/*.txt and OUT/heldout/*.txt

The packages are downloaded by apt-get (110 MB, into OUT/packages; nothing is installed; none is
asked for that lies there already) and unpacked. Of every source one document in forty is held out,
chosen by its hash, so that the held-out text is other documents of the same kinds. The same
packages give the same bytes on every machine. Takes about a minute.

A paragraph is a line. A line that holds a form feed and nothing else ends a document.
`muster data tokenize` reads this form.
"""
import gzip
import hashlib
import html
import pathlib
import re
import subprocess
import sys

PACKAGES = ["anarchism", "debian-handbook", "dict-foldoc", "dict-gcide", "jargon-text",
            "linux-doc-6.1", "python3.11-doc", "wordnet-base"]
HELD_OUT_ONE_IN = 40
DOCUMENT_CHARACTERS = 4000  # Of a dictionary: so many characters of entries, one after the other.


def refuse(why):
    sys.exit(f"quality_text: {why}")


def unpack(out):
    """Downloads and unpacks what is not there yet; where it is unpacked."""
    packages, root = out / "packages", out / "root"
    packages.mkdir(parents=True, exist_ok=True)
    missing = [name for name in PACKAGES if not list(packages.glob(f"{name}_*.deb"))]
    if missing:
        command = ["apt-get", "download", "-q", *missing]
        if subprocess.run(command, cwd=packages).returncode != 0:
            refuse(f"'{' '.join(command)}' failed; this needs Debian 12 and its package server")
    for name in PACKAGES:
        unpacked = root / name
        if not unpacked.exists():
            half = root / f"{name}.partial"
            subprocess.run(["rm", "-rf", half], check=True)
            half.mkdir(parents=True)
            archive = max(packages.glob(f"{name}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive, half], check=True)
            half.rename(unpacked)
    return root


def plain(text):
    """The paragraphs of a text, one a line: white space and quotes as a typewriter has them."""
    for pattern, by in [("[\u2018\u2019\u00b4]", "'"), ("[\u201c\u201d]", '"'),
                        (r"\s*[\u2013\u2014]\s*", " - "), ("\u2026", "..."),
                        ("[\u00ad\u200b\ufeff\ufffd\u00b6\uf0c1]", "")]:
        text = re.sub(pattern, by, text)
    lines = (re.sub(r"[\s\u00a0\x00-\x1f]+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


DROPPED = re.compile(r"<(head|script|style|pre|table|nav|footer|form)\b.*?</\1>", re.S | re.I)
HEADER_LINK = re.compile(r'<a class="headerlink".*?</a>', re.S)
BREAKS = re.compile(r"</?(p|div|h\d|li|ul|ol|dl|dt|dd|br|hr|blockquote|section|body|center)\b"
                    r"[^>]*>", re.I)
TAG = re.compile(r"</?[a-zA-Z!?][^>]*>")


def prose_of_html(page):
    """Listings and tables are left out; a new line is a new paragraph."""
    page = re.sub(r"<!--.*?-->", "", page, flags=re.S)
    page = HEADER_LINK.sub("", DROPPED.sub("\n", page))
    page = BREAKS.sub("\n", re.sub(r"\s+", " ", page))
    return plain(html.unescape(TAG.sub("", page)))


def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


def html_below(folder, begin=None, end=None):
    """A document a page: of each, what lies between two patterns."""
    for path in sorted(folder.rglob("*.html")):
        if path.name.startswith(("genindex", "search", "index", "contents")):
            continue
        page = read(path)
        if begin:
            found = re.search(begin, page)
            if not found:
                continue
            page = page[found.end():]
            page = re.split(end, page, maxsplit=1)[0]
        yield prose_of_html(page)


def anarchism(root):
    return html_below(root / "usr/share/doc/anarchism/html")


def handbook(root):
    return html_below(root / "usr/share/doc/debian-handbook/html/en-US")


def linux(root):
    folder = root / "usr/share/doc/linux-doc-6.1/html"
    pages = html_below(folder, begin=r'<div role="main"[^>]*>', end=r"<footer")
    return (page for page in pages if sum(ord(c) > 0x2000 for c in page) < len(page) / 10)


def python(root):
    return html_below(root / "usr/share/doc/python3.11-doc/html",
                      begin=r'<div class="body" role="main">', end=r'<div class="sphinxsidebar')


def in_pages(entries):
    """Entries joined to documents."""
    page, size = [], 0
    for entry in entries:
        if not entry:
            continue
        page.append(entry)
        size += len(entry)
        if size >= DOCUMENT_CHARACTERS:
            yield "\n".join(page)
            page, size = [], 0
    if page:
        yield "\n".join(page)


def dictionary(path, noise):
    """A headword stands at the left margin, what is said about it is indented."""
    text = gzip.decompress(path.read_bytes()).decode("utf-8", errors="replace")
    text = re.sub(noise, "", text).replace("{", "").replace("}", "")
    entries = re.split(r"\n(?=\S)", text)
    paragraphs = (re.split(r"\n\s*\n", entry) for entry in entries)
    return in_pages(plain("\n".join(re.sub(r"\s+", " ", p) for p in ps)) for ps in paragraphs)


def gcide(root):
    return dictionary(root / "usr/share/dictd/gcide.dict.dz",
                      r"\[[^\]\n]*(Webster|PJC|WordNet)[^\]\n]*\]")


def foldoc(root):
    return dictionary(root / "usr/share/dictd/foldoc.dict.dz", r"\n\s*\(\d{4}-\d\d-\d\d\)")


def jargon(root):
    text = gzip.decompress((root / "usr/share/doc/jargon-text/jargon.txt.gz").read_bytes())
    paragraphs = re.split(r"\n\s*\n", text.decode("utf-8", errors="replace"))
    kept = (re.sub(r"\s+", " ", p.replace("{", "").replace("}", "")) for p in paragraphs
            if not re.search("[\u2500-\u257f]", p))
    return in_pages(plain(p) for p in kept)


def wordnet(root):
    def entries():
        for part in ["noun", "verb", "adj", "adv"]:
            for line in read(root / f"usr/share/wordnet/data.{part}").split("\n"):
                if line.startswith("  ") or "|" not in line:
                    continue
                fields, gloss = line.split("|", 1)
                words = fields.split()
                count = int(words[3], 16)
                names = ", ".join(words[4 + 2 * i].replace("_", " ") for i in range(count))
                yield plain(f"{names}: {gloss.strip()}")
    return in_pages(entries())


SOURCES = {"anarchism": (anarchism, "anarchism"), "foldoc": (foldoc, "dict-foldoc"),
           "gcide": (gcide, "dict-gcide"), "handbook": (handbook, "debian-handbook"),
           "jargon": (jargon, "jargon-text"), "linux": (linux, "linux-doc-6.1"),
           "python": (python, "python3.11-doc"), "wordnet": (wordnet, "wordnet-base")}


def write(path, documents):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text("\f\n".join(text + "\n" for text in documents), encoding="utf-8")
    partial.rename(path)
    print(f"{path}: {path.stat().st_size} bytes, {len(documents)} documents", flush=True)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] in (["-h"], ["--help"]) else 2)
    out = pathlib.Path(sys.argv[1])
    root = unpack(out)
    for name, (documents_of, package) in SOURCES.items():
        train, heldout, seen = [], [], set()
        for document in documents_of(root / package):
            digest = hashlib.sha256(document.encode()).digest()
            if len(document) < 200 or digest in seen:  # A menu, or a page under two names.
                continue
            seen.add(digest)
            held = int.from_bytes(digest[:8], "big") % HELD_OUT_ONE_IN == 0
            (heldout if held else train).append(document)
        if not train:
            refuse(f"{package} holds no text where we look for it")
        write(out / "train" / f"{name}.txt", train)
        write(out / "heldout" / f"{name}.txt", heldout)


if __name__ == "__main__":
    main()
