import Testing

@testable import Measuring

struct HistogramTests {
    @Test("an empty histogram answers zero")
    func empty() {
        let histogram = Histogram()
        #expect(histogram.percentile(0.99) == 0)
        #expect(histogram.mean == 0)
    }

    @Test("every value lies in its bucket, and the bucket is at most 1/64 wide")
    func buckets() {
        var value: UInt64 = 0
        while value < Histogram.nanosecondsMax {
            let index = Histogram.index(of: value)
            let upper = Histogram.upperEnd(of: index)
            #expect(upper >= value)
            #expect(Histogram.index(of: upper) == index)
            #expect(Histogram.index(of: upper + 1) == index + 1)
            #expect(upper - value <= value / 64)
            value += 1 + value / 97
        }
    }

    @Test("percentiles of 1 to 1000 microseconds are exact to 1.6 %")
    func percentiles() {
        var histogram = Histogram()
        for microsecond in 1...1000 { histogram.record(UInt64(microsecond) * 1000) }
        for fraction in [0.01, 0.5, 0.9, 0.99, 0.999, 1] {
            let exact = fraction * 1_000_000
            let got = Double(histogram.percentile(fraction))
            #expect(got >= exact && got <= exact * 1.016)
        }
        #expect(histogram.mean == 500_500)
        #expect(histogram.highest == 1_000_000)
    }

    @Test("times past the end count as the longest one")
    func overflow() {
        var histogram = Histogram()
        histogram.record(UInt64.max)
        #expect(histogram.percentile(1) == Histogram.nanosecondsMax)
    }
}
