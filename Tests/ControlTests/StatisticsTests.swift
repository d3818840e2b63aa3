import Engine
import Foundation
import Testing

@testable import Control

@Suite("Statistics")
struct StatisticsTests {
    private static func sample() -> Statistics {
        var first = Statistics.Values()
        var second = Statistics.Values()
        for (place, counter) in Counters.Counter.allCases.enumerated() {
            first[counter] = UInt64(place)
            second[counter] = 1000
        }
        for (place, reason) in TerminationReason.allCases.enumerated() {
            first[reason] = UInt64(100 + place)
            second[reason] = 5
        }
        return Statistics(workers: [first, second], connectionsMax: 77, uptimeMilliseconds: 1234)
    }

    @Test("the JSON has every counter and reason by name, summed and per worker")
    func json() throws {
        let parsed = try JSONSerialization.jsonObject(with: Data(Self.sample().json.utf8))
        let object = try #require(parsed as? [String: Any])
        #expect(object["connections_max"] as? Int == 77)
        #expect(object["uptime_milliseconds"] as? Int == 1234)
        #expect(object["version"] as? String == Version.text)
        let counters = try #require(object["counters"] as? [String: Int])
        #expect(counters.count == Counters.Counter.allCases.count)
        for (place, counter) in Counters.Counter.allCases.enumerated() {
            #expect(counters[counter.name] == place + 1000)
        }
        let reasons = try #require(object["terminations"] as? [String: Int])
        #expect(reasons.count == TerminationReason.allCases.count)
        for (place, reason) in TerminationReason.allCases.enumerated() {
            #expect(reasons[reason.name] == 105 + place)
        }
        let workers = try #require(object["workers"] as? [[String: Any]])
        #expect(workers.map { $0["index"] as? Int } == [0, 1])
        let second = try #require(workers[1]["counters"] as? [String: Int])
        #expect(second.values.allSatisfy { $0 == 1000 })
    }

    @Test("the summary names only what is not zero")
    func summary() {
        var values = Statistics.Values()
        values[.connectionsAccepted] = 3
        values[.clientClosed] = 2
        let statistics = Statistics(workers: [values], connectionsMax: 1, uptimeMilliseconds: 0)
        #expect(statistics.summary == "connectionsAccepted=3 client_closed=2")
    }

    @Test("values are read from a worker's counters by their own places")
    func fromCounters() {
        let values = Statistics.Values(Counters())
        #expect(values == Statistics.Values())
        let kinds = [values.counters, values.terminations, values.faults]
        #expect(values.named.count == kinds.reduce(0) { $0 + $1.count })
    }

    @Test("the file is written whole, replaces an older one and leaves no other")
    func file() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/stats.json"
        try directory.write("stats.json", String(repeating: "old", count: 100_000))
        let statistics = Self.sample()
        try statistics.write(to: path)
        #expect(try ConfigurationFiles.read([path]).map(\.text) == [statistics.json])
        #expect(!directory.has("stats.json.partial"))
    }

    @Test("a place that cannot be written to is named")
    func unwritable() {
        let error = #expect(throws: StartFailure.self) {
            try Self.sample().write(to: "/nonexistent/stats.json")
        }
        #expect(error?.description.contains("/nonexistent/stats.json") == true)
    }
}
