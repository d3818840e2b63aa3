import Routing
import Testing

@testable import Engine

@Suite("Edits of fields")
struct FieldEditTests {
    private func field(_ name: String, _ value: String) -> HTTPFilter.HeaderEdit.Field {
        HTTPFilter.HeaderEdit.Field(name: name, value: value)
    }

    private func lines(_ edits: HTTPFilter.HeaderEdit...) -> (text: String, dropped: [String]) {
        var edit = FieldEdit()
        for one in edits { edit.append(one) }
        return (
            String(decoding: edit.lines, as: UTF8.self),
            edit.dropped.map { String(decoding: $0, as: UTF8.self) }
        )
    }

    @Test("what is set takes the place of what was there")
    func set() {
        let (text, dropped) = lines(.init(set: [field("x-a", "1")]))
        #expect(text == "x-a: 1\r\n")
        #expect(dropped == ["x-a"])
    }

    @Test("what is added leaves what was there")
    func add() {
        let (text, dropped) = lines(.init(add: [field("x-a", "1"), field("x-a", "2")]))
        #expect(text == "x-a: 1\r\nx-a: 2\r\n")
        #expect(dropped.isEmpty)
    }

    @Test("a later edit sees what an earlier one made")
    func order() {
        let (text, dropped) = lines(
            .init(set: [field("x-a", "1")], add: [field("x-b", "1")]),
            .init(set: [field("X-A", "2")], remove: ["x-b"]))
        #expect(text == "X-A: 2\r\n")
        #expect(dropped == ["x-a", "x-a", "x-b"])
    }
}
