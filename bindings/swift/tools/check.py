"""Checks Swift as far as a machine without a Swift compiler can: it is parsed, and its names are looked up.

    python check.py GENERATED.swift FILE…

A FILE is Swift, or Markdown with blocks of Swift.

What is looked up: types, the first names of calls and members, the labels of calls to what the library or the package declares, and
whether a class has the methods of the library's protocols that it names. Methods of the library that take something must throw. Types
of expressions are not inferred, so this is no compiler: a call with the right name and labels on a value of the wrong type passes.
Names of Swift and of Apple's frameworks are in platform_names.txt, and those of the C header are read from beside GENERATED.swift.

Needs tree-sitter and tree-sitter-swift. Prints what is wrong, one line each, and ends with status 1 if there is something.
"""

import re
import sys
from pathlib import Path

import tree_sitter
import tree_sitter_swift

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_swift.language()))
BODIES = {"class_body", "enum_class_body", "protocol_body"}
FUNCTIONS = {"function_declaration", "protocol_function_declaration"}


def text(node):
    return node.text.decode()


def walk(node):
    yield node
    for child in node.children:
        yield from walk(child)


def named(node, *kinds):
    return [child for child in node.children if child.type in kinds]


def readable(source):
    """The generated source without what the grammar does not know: directives around attributes, and a closure that is `()`."""
    source = re.sub(r"^[ \t]*#(if|elseif|else|endif)[^\n]*$", "", source, flags=re.M)
    source = re.sub(r"^[ \t]*@_documentation\([^\n]*\)[ \t]*$", "", source, flags=re.M)
    return re.sub(r"= \{ \(\) \}$", "= {}", source, flags=re.M)


def blocks(markdown):
    """The blocks of Swift, at the lines where they are."""
    inside = False
    lines = []
    for line in markdown.splitlines():
        if line.startswith("```"):
            inside = line == "```swift"
            line = ""
        lines.append(line if inside else "")
    return "\n".join(lines)


def parse(path, generated=False):
    """The tree of a file, and where it cannot be parsed."""
    source = path.read_text()
    if path.suffix == ".md":
        source = blocks(source)
    tree = PARSER.parse((readable(source) if generated else source).encode()).root_node
    broken = [node for node in walk(tree) if node.type == "ERROR" or node.is_missing]
    return tree, [f"{path}:{node.start_point[0] + 1}: cannot be parsed: {text(node)[:60]!r}" for node in broken]


class Names:
    """What is declared: types, members, and the labels with which something can be called."""

    def __init__(self):
        self.types = set()
        self.members = set()
        self.locals = set()
        self.calls = {}
        self.protocols = {}

    def add(self, tree):
        for node in walk(tree):
            handle = getattr(self, f"_{node.type}", None)
            if handle is not None:
                handle(node)

    def _class_declaration(self, node):
        # An extension has the type that it extends where others have their name.
        for name in named(node, "type_identifier"):
            self.types.add(text(name))

    def _protocol_declaration(self, node):
        (name,) = named(node, "type_identifier")
        self.types.add(text(name))
        methods = [child for child in walk(node) if child.type == "protocol_function_declaration"]
        self.protocols[text(name)] = [(text(named(method, "simple_identifier")[0]), labels(method)) for method in methods]

    def _typealias_declaration(self, node):
        self.types.update(text(name) for name in named(node, "type_identifier"))

    def _associatedtype_declaration(self, node):
        self.types.update(text(name) for name in named(node, "type_identifier"))

    def _type_parameter(self, node):
        self.types.update(text(name) for name in named(node, "type_identifier"))

    def _function_declaration(self, node):
        name = text(named(node, "simple_identifier")[0]).strip("`")
        self.members.add(name)
        self.calls.setdefault(name, []).append(labels(node))

    _protocol_function_declaration = _function_declaration

    def _init_declaration(self, node):
        kind = node.parent.parent
        for name in named(kind, "type_identifier", "user_type"):
            self.calls.setdefault(text(name), []).append(labels(node))

    def _enum_entry(self, node):
        for name in named(node, "simple_identifier"):
            self.members.add(text(name).strip("`"))
        for values in named(node, "enum_type_parameters"):
            self.calls.setdefault(text(named(node, "simple_identifier")[0]), []).append(values_of(values))

    def _property_declaration(self, node):
        into = self.members if node.parent.type in BODIES else self.locals
        for pattern in named(node, "pattern"):
            into.update(text(name).strip("`") for name in walk(pattern) if name.type == "simple_identifier")

    _protocol_property_declaration = _property_declaration

    def _parameter(self, node):
        self.locals.update(text(name) for name in named(node, "simple_identifier"))


def of_converter(protocol):
    return any(text(name).startswith("FfiConverter") for name in named(protocol, "type_identifier"))


def fatal(tree):
    """Methods that take something and do not throw: a bad argument, an id of another kind, stops the process in them."""
    for node in walk(tree):
        # The converters are UniFFI's own.
        if node.type != "protocol_function_declaration" or of_converter(node.parent.parent):
            continue
        if named(node, "parameter") and not named(node, "throws"):
            yield f"{text(named(node, 'simple_identifier')[0])} takes an argument and does not throw"


def labels(function):
    """The labels of a function, each with whether it may be left out."""
    found = []
    for child in function.children:
        if child.type == "parameter":
            found.append([text(named(child, "simple_identifier")[0]), False])
        elif child.type == "=" and found:
            found[-1][1] = True
    return [(label, optional) for label, optional in found]


def values_of(values):
    """The labels of the values of an enum's case."""
    found, label = [], "_"
    for child in values.children[1:]:
        if child.type == "simple_identifier":
            label = text(child)
        elif child.type in {",", ")"}:
            found.append((label, False))
            label = "_"
    return found


def fits(given, wanted):
    """Whether a call with these labels calls a function with those. A closure may follow for the last ones."""
    rest = list(given)
    for label, optional in wanted:
        if rest and rest[0] == label:
            rest.pop(0)
        elif not optional:
            return False
    return not rest


def arguments(call):
    """The labels of a call, `_` for none; a closure behind it counts as one without."""
    found = []
    for suffix in named(call, "call_suffix"):
        for values in named(suffix, "value_arguments"):
            for value in named(values, "value_argument"):
                label = named(value, "value_argument_label")
                found.append(text(label[0]) if label else "_")
        found += ["_" for _ in named(suffix, "lambda_literal")]
    return found


def called(call):
    """The name that a call calls, if it has one."""
    function = call.children[0]
    if function.type == "simple_identifier":
        return text(function)
    suffixes = [node for node in named(function, "navigation_suffix")]
    if suffixes:
        return text(suffixes[-1]).lstrip(".?")
    if function.type == "prefix_expression":
        return text(function).lstrip(".")
    return None


def wrong_names(path, tree, names, platform):
    for node in walk(tree):
        where = f"{path}:{node.start_point[0] + 1}"
        if node.type == "type_identifier" and text(node) not in names.types | platform:
            yield f"{where}: there is no type {text(node)}"
        elif node.type == "navigation_suffix":
            yield from wrong_member(where, text(node).lstrip("."), names, platform)
        elif node.type in {"prefix_expression", "pattern"}:
            # A member of the type that Swift infers: `.closed`, `case .closed`.
            for dot, name in zip(node.children, node.children[1:]):
                if text(dot) == "." and name.type == "simple_identifier":
                    yield from wrong_member(where, text(name), names, platform)
        elif node.type == "call_expression":
            yield from wrong_call(where, node, names, platform)
        elif node.type == "class_declaration":
            yield from missing_methods(where, node, names)


def wrong_member(where, name, names, platform):
    name = name.strip("`")
    if name not in names.members | names.types | platform | {"init", "self"} and not name.isdigit():
        yield f"{where}: there is no member {name}"


def wrong_call(where, call, names, platform):
    name = called(call)
    if name is None:
        return
    wanted = names.calls.get(name)
    if wanted is None:
        if name not in names.types | names.members | names.locals | platform and name not in {"init", "self"}:
            yield f"{where}: there is nothing to call with the name {name}"
        return
    given = arguments(call)
    # Methods of the platform that have the name of one of ours are on the list with their labels.
    as_written = f"{name}({''.join(f'{label}:' for label in given)})"
    if as_written not in platform and not any(fits(given, one) for one in wanted):
        shown = {f"{name}({''.join(f'{label}:' for label, _ in one)})" for one in wanted}
        yield f"{where}: {as_written} does not exist, but {' and '.join(sorted(shown))}"


def missing_methods(where, node, names):
    inherited = [text(kind) for kind in walk_heads(node) if text(kind) in names.protocols]
    methods = [child for body in named(node, *BODIES) for child in named(body, *FUNCTIONS)]
    has = [(text(named(method, "simple_identifier")[0]), labels(method)) for method in methods]
    for protocol in inherited if methods else []:
        for name, wanted in names.protocols[protocol]:
            if (name, wanted) not in has:
                yield f"{where}: {protocol} asks for {name}({''.join(f'{label}:' for label, _ in wanted)})"


def walk_heads(node):
    for specifier in named(node, "inheritance_specifier"):
        yield from (child for child in walk(specifier) if child.type == "type_identifier")


def main(generated, files):
    platform = set(Path(__file__).with_name("platform_names.txt").read_text().split())
    tree, wrong = parse(Path(generated), generated=True)
    names = Names()
    names.add(tree)
    names.locals.update(re.findall(r"\b(\w+)\(", Path(generated).with_name("FieldpostFFIFFI.h").read_text()))
    if "Client" not in names.types:
        wrong.append(f"{generated}: this is not the generated source: it has no Client")
    wrong += (f"{generated}: {one}" for one in fatal(tree))
    trees = []
    for path in map(Path, files):
        tree, broken = parse(path)
        if broken:
            wrong += broken
            continue
        trees.append((path, tree))
        names.add(tree)
    for path, tree in trees:
        wrong += wrong_names(path, tree, names, platform)
    for line in wrong:
        print(line)
    print(f"{len(trees) + 1} files parsed, not compiled; {len(wrong)} wrong")
    return 1 if wrong or not trees else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
