import Testing

@testable import Control

@Suite("Overload report")
struct OverloadReportTests {
    @Test("nothing is said while nothing happens")
    func silence() {
        var report = OverloadReport()
        var values = Statistics.Values()
        #expect(report.sentences(values, connectionsMax: 10).isEmpty)
        values[.connectionsAccepted] = 100
        values[.clientClosed] = 100
        #expect(report.sentences(values, connectionsMax: 10).isEmpty)
    }

    @Test("only what was added since the last look is counted")
    func differences() {
        var report = OverloadReport()
        var values = Statistics.Values()
        values[.totalLimit] = 12
        #expect(
            report.sentences(values, connectionsMax: 500)
                == ["12 connections or flows refused at the limit of 500 (--connections-max)"])
        #expect(report.sentences(values, connectionsMax: 500).isEmpty)
        values[.totalLimit] = 13
        #expect(
            report.sentences(values, connectionsMax: 500)
                == ["1 connection or flow refused at the limit of 500 (--connections-max)"])
    }

    @Test("each kind of overload has a sentence of its own")
    func kinds() {
        var report = OverloadReport()
        var values = Statistics.Values()
        values[.totalLimit] = 1
        values[.listenerLimit] = 2
        values[.flowEvicted] = 3
        values[.outOfDescriptors] = 4
        values[.outOfBuffers] = 5
        values[.acceptPauses] = 6
        values[.acceptFailures] = 7
        values[.bufferStarvations] = 8
        values[.datagramsDropped] = 9
        values[.pipeRefusals] = 10
        let lines = report.sentences(values, connectionsMax: 1)
        #expect(lines.count == 10)
        #expect(Set(lines).count == 10)
        for count in 2...10 {
            #expect(lines.filter { $0.split(separator: " ").contains("\(count)") }.count == 1)
        }
    }
}
