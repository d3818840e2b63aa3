/// Text in columns as wide as their longest cell, for people. A value.
struct Table {
    struct Column {
        let title: String
        /// Numbers stand at the right.
        var isNumber = false
    }

    let columns: [Column]
    private(set) var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// An empty cell shows as a dash, so that every column can be cut out by spaces, but for the
    /// last, which may have spaces of its own.
    mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "a cell for each column")
        rows.append(
            cells.enumerated().map { place, cell in
                cell.isEmpty && place < cells.count - 1 ? "-" : cell
            })
    }

    var text: String {
        let lines = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in
            lines.reduce(0) { max($0, $1[column].count) }
        }
        return lines.map { line in
            let cells = line.indices.map { place in
                let padding = String(repeating: " ", count: widths[place] - line[place].count)
                return columns[place].isNumber ? padding + line[place] : line[place] + padding
            }
            var text = cells.joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            return text + "\n"
        }.joined()
    }
}
