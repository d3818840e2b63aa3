import Primitives
import Wire

/// Questions on their way, and what comes back.
extension Directory {
    /// - Precondition: the record's state has just begun to ask.
    func ask(_ record: DirectoryEntry.Record, now: UInt64) {
        let settings = record.lookup.settings
        let isSystem = settings.servers.isEmpty
        let names =
            isSystem
            ? system.candidates(for: record.lookup.name)
            : DNSName(record.lookup.name).map { [$0] } ?? []
        guard !names.isEmpty else {
            apply(.answered(.failed(.nameInvalid)), to: record, now: now)
            return
        }
        let key = QueryTable.Key(
            names: names, type: record.type, servers: isSystem ? system.servers : settings.servers)
        record.query =
            queries.join(key, waiter: record.id)
            ?? queries.add(
                key, waiter: record.id,
                timeoutMilliseconds: isSystem
                    ? system.timeoutMilliseconds : limits.timeoutMilliseconds,
                roundsMax: isSystem ? system.roundsMax : limits.roundsMax,
                usesTCP: isSystem && system.usesTCP, rotates: isSystem && system.rotates)
    }

    /// The record waits for its query no more; a query that nobody waits for ends with its attempt.
    func abandon(_ record: DirectoryEntry.Record) {
        guard let number = record.query else { return }
        record.query = nil
        queries[number]?.waiters.removeAll { $0 == record.id }
        if queries[number]?.waiters.isEmpty == true { queries.close(number) }
    }

    /// Sends what may go now.
    func pump(now: UInt64) {
        while let number = queries.scheduler.next() {
            guard var entry = queries[number] else { preconditionFailure("what waits is there") }
            guard !entry.waiters.isEmpty else {
                end(number, entry)
                continue
            }
            let order = queries.order(of: entry.group, now: now)
            var query = Query(names: entry.key.names, order: order, roundsMax: entry.roundsMax)
            let step = query.start()
            entry.query = query
            queries[number] = entry
            guard case .ask(let attempt) = step else { preconditionFailure("a query begins") }
            send(attempt, number, entry)
        }
    }

    private func send(_ attempt: Query.Attempt, _ number: Int, _ entry: QueryTable.Entry) {
        counters.sent += 1
        sends.append(
            Send(
                query: number, name: attempt.name, type: entry.key.type,
                server: entry.key.servers[attempt.server],
                timeoutMilliseconds: entry.timeoutMilliseconds, usesTCP: entry.usesTCP))
    }

    private func end(_ number: Int, _ entry: QueryTable.Entry) {
        queries[number] = nil
        queries.scheduler.finish(group: entry.group)
    }

    // MARK: - Replies

    /// What came of the message that `sends` had for this query.
    func receive(_ reply: Reply, query number: Int, now: UInt64) {
        guard var entry = queries[number], var query = entry.query else {
            preconditionFailure("a reply is to a query under way")
        }
        let attempt = query.attempt
        let reading = read(reply, attempt.name, entry.key.type)
        count(reading)
        let isSilent =
            reading.answer == .failed(.timedOut) || reading.answer == .failed(.unreachable)
        queries.note(attempt.server, of: entry.group, isWell: !isSilent, now: now)
        let step = query.on(reading.answer)
        entry.query = query
        queries[number] = entry
        switch step {
        case .ask(let next) where !entry.waiters.isEmpty:
            send(next, number, entry)
        case .ask:
            end(number, entry)
        case .finished(let answer):
            end(number, entry)
            for waiter in entry.waiters { deliver(answer, reading, to: waiter, now: now) }
        }
        settle(now: now)
    }

    private func read(
        _ reply: Reply, _ name: DNSName, _ type: DNSMessage.RecordType
    ) -> AnswerReader.Reading {
        switch reply {
        case .failed(let failure): return AnswerReader.Reading(answer: .failed(failure))
        case .message(let bytes):
            do throws(DNSFault) {
                return AnswerReader(name: name, type: type)
                    .read(try DNSMessage(bytes.span.bytes))
            } catch {
                return AnswerReader.Reading(answer: .failed(.malformed(error)))
            }
        }
    }

    private func count(_ reading: AnswerReader.Reading) {
        counters.recordsIgnored += UInt64(reading.ignoredCount)
        switch reading.answer {
        case .found: counters.found += 1
        case .absent: counters.absent += 1
        case .failed(.timedOut): counters.timedOut += 1
        case .failed: counters.failed += 1
        }
    }

    private func deliver(
        _ answer: Answer, _ reading: AnswerReader.Reading, to waiter: Int, now: UInt64
    ) {
        guard let record = records[waiter] else { preconditionFailure("who waits is there") }
        record.query = nil
        record.ignoredCount = reading.ignoredCount
        apply(.answered(answer), to: record, now: now)
        guard !reading.additional.isEmpty else { return }
        // The targets come to be with this; their addresses are here already.
        refreshDirty(now: now)
        for additional in reading.additional {
            let target = Self.target(additional.name, of: record.lookup)
            // Only where nothing better is known: a server may leave some of a name's addresses out
            // here without a word (RFC 2181 §9).
            guard let host = entries[target]?.record(additional.type), host.state.data == nil
            else { continue }
            abandon(host)
            apply(.answered(additional.answer), to: host, now: now)
        }
    }
}
