import Foundation

// `scenario FILE --url URL --key KEY --folder FOLDER`: one line of JSON per step on standard output.

func option(_ name: String) -> String? {
    let arguments = CommandLine.arguments
    guard let at = arguments.firstIndex(of: "--\(name)"), at + 1 < arguments.count else { return nil }
    return arguments[at + 1]
}

guard CommandLine.arguments.count > 1, let url = option("url"), let key = option("key"), let folder = option("folder") else {
    fatalError("scenario FILE --url URL --key KEY --folder FOLDER")
}
let file = try Json.parse(Data(contentsOf: URL(fileURLWithPath: CommandLine.arguments[1])))
let kept = try option("kept").map { try Json.parse(Data($0.utf8)).object ?? [:] } ?? [:]
let runner = Runner(url: url, key: key, folder: URL(fileURLWithPath: folder), kept: kept)
let crash = CommandLine.arguments.contains("--crash")
let passed = try await runner.run(file["steps"]?.list ?? file.list ?? [], crash: crash)
exit(passed ? 0 : 1)
