"""Plants faults, each of which check.py must find, and takes what is right.

    python test_check.py GENERATED.swift …
"""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

import check

GENERATED = sys.argv[1] if len(sys.argv) > 1 else ""

RIGHT = """
import Fieldpost

actor Keys: SecretStore {
    func get(name: String) async throws -> String? { nil }
    func put(name: String, secret: String) async throws {}
    func remove(name: String) async throws {}
}

func greet(_ client: Client) async throws {
    _ = try await client.send(conversation: "id", text: "hello")
    _ = try await client.outbox()
    let error = FieldpostError.Failed(kind: .closed, retry: .never, reason: "")
}
"""


class Planted(unittest.TestCase):
    def told(self, source, name="planted.swift"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_text(source)
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                status = check.main(GENERATED, [str(path)])
        return status, output.getvalue()

    def finds(self, right, wrong, message):
        self.assertIn(right, RIGHT)
        status, told = self.told(RIGHT.replace(right, wrong))
        self.assertEqual(status, 1)
        self.assertIn(message, told)

    def test_what_is_right_passes(self):
        self.assertEqual(self.told(RIGHT), (0, "2 files parsed, not compiled; 0 wrong\n"))

    def test_nothing_to_check_is_a_failure(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(check.main(GENERATED, []), 1)

    def test_what_cannot_be_parsed(self):
        self.finds('text: "hello")', 'text: "hello"', "cannot be parsed")
        self.finds("func greet(_ client: Client)", "func greet(_ client Client)", "cannot be parsed")
        self.finds("{ nil }", "{ guard let name else { return nil }", "cannot be parsed")

    def test_a_wrong_type(self):
        self.finds("_ client: Client", "_ client: Clients", "there is no type Clients")

    def test_a_wrong_method(self):
        self.finds("client.outbox()", "client.outboxes()", "there is no member outboxes")

    def test_a_wrong_label(self):
        self.finds("text:", "body:", "send(conversation:body:) does not exist")

    def test_a_wrong_case(self):
        self.finds(".closed", ".shut", "there is no member shut")

    def test_a_wrong_label_of_a_case(self):
        self.finds("reason: \"\"", "message: \"\"", "Failed(kind:retry:message:) does not exist")

    def test_a_missing_method_of_a_protocol(self):
        self.finds("    func remove(name: String) async throws {}\n", "", "SecretStore asks for remove(name:)")

    def test_a_method_that_would_stop_the_process(self):
        tree = check.PARSER.parse(b"protocol Client {\n    func send(text: String) async -> Bool\n    func sync() -> Bool\n}").root_node
        self.assertEqual(list(check.fatal(tree)), ["send takes an argument and does not throw"])

    def test_blocks_in_markdown(self):
        document = f"# Title\n\n```swift{RIGHT}```\n\n```sh\nno swift (\n```\n"
        self.assertEqual(self.told(document, "planted.md")[0], 0)
        status, told = self.told(document.replace("outbox()", "outboxes()"), "planted.md")
        self.assertEqual(status, 1)
        self.assertIn("planted.md:14: there is no member outboxes", told)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
