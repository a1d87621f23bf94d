"""Keeps of an `abidw` file what the exported functions are made of, and nothing else (stdin to stdout).

abidw also writes down whatever types of Rust's library it meets, which change with every compiler.
"""

import sys
import xml.etree.ElementTree as xml


def is_exported(element):
    return element.tag == "function-decl" and "elf-symbol-id" in element.attrib


def types_of(element):
    return {part.get("type-id") for part in element.iter() if part.get("type-id")}


def needed_types(corpus):
    definitions = {element.get("id"): element for element in corpus.iter() if element.get("id")}
    waiting = set().union(*(types_of(f) for f in corpus.iter() if is_exported(f)))
    needed = set()
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting |= types_of(definitions[name]) - needed
    return needed


def prune(element, needed):
    """Removes what is not needed; true if anything of `element` stays."""
    if is_exported(element) or element.get("id") in needed:
        return True
    for child in list(element):
        if not prune(child, needed):
            element.remove(child)
    return len(element) > 0


corpus = xml.fromstring(sys.stdin.read())
needed = needed_types(corpus)
for unit in corpus.findall("abi-instr"):
    if not prune(unit, needed):
        corpus.remove(unit)
xml.indent(corpus, " ")
print(xml.tostring(corpus, encoding="unicode"))
