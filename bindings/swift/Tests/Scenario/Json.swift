import Foundation

/// A value of JSON.
enum Json: Codable, Equatable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([Json])
    case object([String: Json])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([Json].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: Json].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let flag): try container.encode(flag)
        case .number(let number) where number == number.rounded() && abs(number) < 1e15: try container.encode(Int64(number))
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .object(let object): try container.encode(object)
        }
    }

    static func parse(_ data: Data) throws -> Json {
        try JSONDecoder().decode(Json.self, from: data)
    }

    /// As one line.
    var line: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "\(self)"
    }

    subscript(_ key: String) -> Json? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    var number: Double? {
        guard case .number(let number) = self else { return nil }
        return number
    }

    var list: [Json]? {
        guard case .list(let list) = self else { return nil }
        return list
    }

    var object: [String: Json]? {
        guard case .object(let object) = self else { return nil }
        return object
    }

    var isTrue: Bool { self == .flag(true) }
}

extension Json {
    /// A result as JSON.
    init(of value: Any) {
        switch value {
        case let value as Json: self = value
        case let value as Bool: self = .flag(value)
        case let value as String: self = .text(value)
        case let value as any BinaryInteger: self = .number(Double(value))
        case let value as Double: self = .number(value)
        case let value as Date: self = .text(value.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        case is Void: self = .null
        default: self.init(parts: Mirror(reflecting: value), of: value)
        }
    }

    private init(parts: Mirror, of value: Any) {
        switch parts.displayStyle {
        case .optional: self = parts.children.first.map { Json(of: $0.value) } ?? .null
        case .collection: self = .list(parts.children.map { Json(of: $0.value) })
        case .enum: self.init(variant: parts, of: value)
        default: self = .object(Json.fields(parts))
        }
    }

    /// A variant with data is an object, with its name under `is`.
    private init(variant: Mirror, of value: Any) {
        guard let (name, data) = variant.children.first.map({ ($0.label ?? "", $0.value) }) else {
            self = .text(snake("\(value)"))
            return
        }
        var fields = Json.fields(Mirror(reflecting: data))
        fields["is"] = .text(snake(name))
        self = .object(fields)
    }

    private static func fields(_ mirror: Mirror) -> [String: Json] {
        let fields = mirror.children.map { (snake($0.label ?? ""), Json(of: $0.value)) }
        return Dictionary(fields) { first, _ in first }
    }
}

func snake(_ name: String) -> String {
    var snake = ""
    for letter in name {
        if letter.isUppercase, let last = snake.last, last.isLowercase || last.isNumber {
            snake += "_"
        }
        snake += letter.lowercased()
    }
    return snake
}
