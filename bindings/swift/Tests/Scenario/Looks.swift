import Foundation

// What a result must look like: see bindings/scenario/README.md.

/// A step does not show what it should.
struct StepFailed: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Nil if the result looks as expected; otherwise what does not.
func difference(_ expected: Json, _ found: Json, _ kept: [String: Json], at place: String = "") throws -> String? {
    let here = place.isEmpty ? "the result" : place
    switch expected {
    case .text(let text) where text.hasPrefix("$"):
        guard let wanted = kept[String(text.dropFirst())] else { throw StepFailed("nothing is kept as \(text)") }
        return try difference(wanted, found, kept, at: place)
    case .text:
        // A variant without data is written as its name alone in some languages.
        let word = found.object?.count == 1 ? found["is"] ?? found : found
        return word == expected ? nil : "\(here) is \(found.line), not \(expected.line)"
    case .object(let tests) where tests.keys.contains { $0.hasPrefix("$") }:
        return try failing(tests.first!.key, tests.first!.value, found, kept, here)
    case .object(let entries):
        let variant = found.text.map { entries.keys.elementsEqual(["is"]) ? Json.object(["is": .text($0)]) : found }
        guard let object = (variant ?? found).object else { return "\(here) is \(found.line), not an object" }
        for (key, wanted) in entries {
            guard let entry = object[key] else { return "\(here) has no \(key)" }
            if let wrong = try difference(wanted, entry, kept, at: below(place, key)) { return wrong }
        }
        return nil
    case .list(let items):
        guard let list = found.list, list.count == items.count else {
            return "\(here) has not \(items.count) items: \(found.line)"
        }
        for (index, wanted) in items.enumerated() {
            if let wrong = try difference(wanted, list[index], kept, at: below(place, "\(index)")) { return wrong }
        }
        return nil
    default:
        return found == expected ? nil : "\(here) is \(found.line), not \(expected.line)"
    }
}

private func below(_ place: String, _ key: String) -> String {
    place.isEmpty ? key : "\(place).\(key)"
}

private func failing(_ test: String, _ wanted: Json, _ found: Json, _ kept: [String: Json], _ here: String) throws -> String? {
    func that(_ holds: Bool) -> String? { holds ? nil : "\(here) is \(found.line): \(test) \(wanted.line) does not hold" }
    func list() throws -> [Json] {
        guard let list = found.list else { throw StepFailed("\(here) is \(found.line), no list") }
        return list
    }
    func item(_ item: Json?) throws -> String? {
        try item.map { try difference(wanted, $0, kept, at: here) } ?? "\(here) is empty"
    }
    switch test {
    case "$any": return that(found != .null)
    case "$at_least": return that(try number(found, here) >= number(wanted, here))
    case "$at_most": return that(try number(found, here) <= number(wanted, here))
    case "$at_least_items": return that(try Double(list().count) >= number(wanted, here))
    case "$length": return that(try Double(list().count) == number(wanted, here))
    case "$contains": return that(found.list?.contains(wanted) ?? found.line.contains(wanted.line.trimmingCharacters(in: ["\""])))
    case "$first": return try item(list().first)
    case "$last": return try item(list().last)
    case "$has":
        let wrong = try list().map { try difference(wanted, $0, kept, at: here) }
        return wrong.contains(nil) ? nil : "nothing in \(here) is right: \(wrong.compactMap { $0 })"
    case "$not": return that(try difference(wanted, found, kept) != nil)
    default: throw StepFailed("there is no test \(test)")
    }
}

private func number(_ value: Json, _ here: String) throws -> Double {
    guard let number = value.number else { throw StepFailed("\(here) is \(value.line), no number") }
    return number
}

/// A part of a result: `messages.-1.id`, `[kind=direct].id`, `.` for all of it.
func part(_ path: String, _ value: Json) throws -> Json {
    try path.split(separator: ".").reduce(value) { whole, part in
        let found: Json?
        if part.hasPrefix("[") {
            let pair = part.dropFirst().dropLast().split(separator: "=")
            found = whole.list?.first { $0[String(pair[0])] == .text(String(pair[1])) }
        } else if let list = whole.list, let index = Int(part) {
            found = list[index < 0 ? list.count + index : index]
        } else {
            found = whole[String(part)]
        }
        guard let found else { throw StepFailed("there is no \(part) to keep in \(whole.line)") }
        return found
    }
}
