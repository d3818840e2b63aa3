/// A program in a worker's roster: of the plan in force, or of one before as long as exchanges go
/// by it.
struct ProgramState {
    let program: HTTPProgram
    /// Exchanges, and the listener that has it.
    var references = 1

    init(_ program: HTTPProgram) {
        self.program = program
    }
}
