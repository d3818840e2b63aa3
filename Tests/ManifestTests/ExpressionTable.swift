@testable import Manifest

/// Expressions and what they give over `object`, row by row.
enum ExpressionTable {
    /// What the rules of the tables are evaluated over.
    static let object = """
        name: web
        empty: ''
        port: 80
        half: 0.5
        yes: true
        nothing: null
        quoted: '80'
        list: [1, 2, 3]
        names: [a, b, a]
        mixed: [1, x, null]
        none: []
        record: {kind: Service, namespace: shop, a-b: 1, c.d: 2, e/f: 3, g__h: 4}
        records: [{name: a, port: 1}, {name: b, port: 2}, {name: a}]
        accent: "\\u00e9"
        butterfly: "\\U0001F98B!"
        infinite: .inf
        nan: .nan
        """

    static let overload = Expression.Verdict.failed(
        "no such overload: the values have types that the rule cannot take")
    static let overflow = Expression.Verdict.failed("integer overflow")
    static let bounds = Expression.Verdict.failed("index out of bounds")

    static func missing(_ name: String) -> Expression.Verdict { .failed("no such key: \(name)") }

    static let operators: [(String, Expression.Verdict)] = [
        // Selection and has.
        ("self.name == 'web'", .isTrue), ("self.record.kind == \"Service\"", .isTrue),
        ("self.absent == 1", missing("absent")), ("self.nothing == null", missing("nothing")),
        ("self.name.length == 1", overload), ("has(self.name)", .isTrue),
        ("has(self.absent)", .isFalse), ("has(self.nothing)", .isFalse),
        ("has(self.empty)", .isTrue), ("has(self.absent.name)", missing("absent")),
        ("has(self.name.x)", overload), ("self.record.__namespace__ == 'shop'", .isTrue),
        ("has(self.record.__namespace__)", .isTrue), ("self.record.namespace == 'shop'", .isTrue),
        ("self.record.a__dash__b + self.record.c__dot__d == 3", .isTrue),
        ("self.record.e__slash__f == 3 && self.record.g__underscores__h == 4", .isTrue),
        // Truth.
        ("true", .isTrue), ("!true", .isFalse), ("!!self.yes", .isTrue), ("!self.name", overload),
        ("true && true", .isTrue), ("true && false", .isFalse), ("false || true", .isTrue),
        ("false || false", .isFalse), ("self.absent && false", .isFalse),
        ("false && self.absent", .isFalse), ("self.absent && true", missing("absent")),
        ("true && self.absent", missing("absent")), ("self.absent || true", .isTrue),
        ("true || self.absent", .isTrue), ("self.absent || false", missing("absent")),
        ("self.name || true", .isTrue), ("self.name && true", overload),
        ("self.a || self.b", missing("a")), ("true ? false : true", .isFalse),
        ("false ? self.absent : true", .isTrue), ("self.name ? true : true", overload),
        ("true ? true : false ? false : false", .isTrue),
        ("self.name", .failed("the rule gives no boolean")),
        // Equality, over types as well.
        ("1 == 1.0", .isTrue), ("self.quoted == 80", .isFalse), ("self.quoted != 80", .isTrue),
        ("9007199254740993 == 9007199254740992.0", .isFalse), ("null == null", .isTrue),
        ("self.list == [1, 2, 3]", .isTrue), ("self.list == [1, 2]", .isFalse),
        ("[1, 2] == self.list", .isFalse), ("self.list == self.list", .isTrue),
        ("self.record == self.record", .isTrue),
        ("self.records[0] == {'name': 'a', 'port': 1.0}", .isTrue),
        ("{'name': 'a'} == self.records[0]", .isFalse), ("{1: 2, 3: 4} == {3: 4, 1: 2}", .isTrue),
        ("{1: 2} == {1: 3}", .isFalse), ("{1: 2} == {2: 2}", .isFalse),
        ("self.record == self.list", .isFalse), ("self.accent == 'e\\u0301'", .isFalse),
        ("self.accent == 'é'", .isTrue), ("self.nan == self.nan", .isFalse),
        ("self.nan != self.nan", .isTrue),
        // Order.
        ("1 < 2", .isTrue), ("2 <= 2", .isTrue), ("2 > 2", .isFalse), ("2 >= 3", .isFalse),
        ("self.half < 1", .isTrue), ("1 > self.half", .isTrue), ("-1 < -0.5", .isTrue),
        ("9223372036854775807 < 9223372036854775808.0", .isTrue),
        ("-9223372036854775807 > -1e300", .isTrue), ("self.infinite > 1", .isTrue),
        ("self.nan < 1", .isFalse), ("self.nan >= 1", .isFalse), ("1 <= self.nan", .isFalse),
        ("'a' < 'b'", .isTrue), ("'a' < 'ab'", .isTrue), ("'Z' < 'a'", .isTrue),
        ("'\\U0001F98B' > '\\uFFFD'", .isTrue), ("false < true", .isTrue),
        ("self.name < 1", overload), ("self.list < self.list", overload),
        // Arithmetic.
        ("1 + 2 * 3 == 7", .isTrue), ("(1 + 2) * 3 == 9", .isTrue), ("7 - 2 - 1 == 4", .isTrue),
        ("7 / 2 == 3", .isTrue), ("-7 % 3 == -1", .isTrue), ("1.5 + 1.5 == 3", .isTrue),
        ("1.0 / 4.0 - 0.25 * 1.0 == 0", .isTrue), ("1 + 1.0 == 2", overload),
        ("'a' + 'b' == 'ab'", .isTrue), ("[1] + self.list == [1, 1, 2, 3]", .isTrue),
        ("9223372036854775807 + 1 == 0", overflow), ("-9223372036854775807 - 2 == 0", overflow),
        ("9223372036854775807 * 2 == 0", overflow), ("-(-9223372036854775807 - 1) == 0", overflow),
        ("1 / 0 == 1", .failed("division by zero")), ("1 % 0 == 1", .failed("division by zero")),
        ("1.0 % 1.0 == 1.0", overload), ("-self.name == 1", overload), ("true + 1 == 2", overload),
        // Membership and elements.
        ("2 in self.list", .isTrue), ("'2' in self.list", .isFalse), ("2.0 in [1, 2]", .isTrue),
        ("'x' in self.mixed", .isTrue), ("null in self.mixed", .isTrue), ("1 in []", .isFalse),
        ("'kind' in self.record", .isTrue), ("'nothing' in self", .isFalse),
        ("1 in self", .isFalse),
        ("1 in {1: 2}", .isTrue), ("2 in {1: 2}", .isFalse), ("1 in 2", overload),
        ("self.list[0] == 1", .isTrue), ("self.list[3] == 1", bounds),
        ("self.list[-1] == 1", bounds),
        ("[7, 8][1] == 8", .isTrue), ("[7][1] == 8", bounds), ("self.list['0'] == 1", overload),
        ("self.record['a-b'] == 1", .isTrue), ("self.record['x'] == 1", .failed("no such key")),
        ("{'a': 1}['a'] == 1", .isTrue), ("{'a': 1}['b'] == 1", .failed("no such key")),
        ("{'a': 1}.a == 1", .isTrue), ("has({'a': 1}.b)", .isFalse),
        ("{1: 'x'}[1.0] == 'x'", .isTrue),
        ("{'a': 1, 'a': 2}.a == 1", .failed("a map's key is repeated")),
        ("{1.5: 1}[1] == 1", overload), ("[self.port, 1,] == [80, 1]", .isTrue),
        ("{self.name: self.port,}['web'] == 80", .isTrue),
    ]

    static let functions: [(String, Expression.Verdict)] = [
        ("size(self.list) == 3", .isTrue), ("self.list.size() == 3", .isTrue),
        ("self.none.size() == 0", .isTrue), ("self.name.size() == 3", .isTrue),
        ("self.accent.size() == 1", .isTrue), ("self.butterfly.size() == 2", .isTrue),
        ("self.record.size() == 6", .isTrue), ("size({1: 2}) == 1", .isTrue),
        ("size({'a': self.port}) == 1", .isTrue), ("[self.name].size() == 1", .isTrue),
        // `nothing` is null, and so is not there.
        ("self.size() == 16", .isTrue), ("self.port.size() == 1", overload),
        ("self.name.contains('eb')", .isTrue), ("self.name.contains('ebx')", .isFalse),
        ("self.name.contains('')", .isTrue), ("self.empty.contains('')", .isTrue),
        ("'aab'.contains('ab')", .isTrue), ("self.name.contains(1)", overload),
        ("self.name.startsWith('we')", .isTrue), ("self.name.startsWith('eb')", .isFalse),
        ("self.name.startsWith('webs')", .isFalse), ("self.port.startsWith('8')", overload),
        ("self.name.endsWith('eb')", .isTrue), ("self.name.endsWith('we')", .isFalse),
        ("self.name.endsWith('aweb')", .isFalse), ("self.name.endsWith('')", .isTrue),
        ("'Ab\\u00c9'.lowerAscii() == 'ab\\u00c9'", .isTrue),
        ("'aZ-9'.upperAscii() == 'AZ-9'", .isTrue),
        ("self.port.lowerAscii() == ''", overload),
        ("'a/b/c'.split('/') == ['a', 'b', 'c']", .isTrue),
        ("'a/b'.split('/')[0].size() == 1", .isTrue),
        ("'a/b/c'.split('/', 2) == ['a', 'b/c']", .isTrue),
        ("'a/b'.split('/', 1) == ['a/b']", .isTrue),
        ("'a/b'.split('/', 0) == []", .isTrue), ("'a/b'.split('/', -1) == ['a', 'b']", .isTrue),
        ("'/'.split('/') == ['', '']", .isTrue), ("''.split('/') == ['']", .isTrue),
        ("'ab'.split('abc') == ['ab']", .isTrue),
        ("'a\\u00e9b'.split('') == ['a', '\\u00e9', 'b']", .isTrue),
        ("'abc'.split('', 2) == ['a', 'bc']", .isTrue), ("''.split('') == []", .isTrue),
        ("'a'.split(1) == []", overload), ("'a'.split('b', 'c') == []", overload),
        ("'abc'.substring(1) == 'bc'", .isTrue), ("'abc'.substring(1, 2) == 'b'", .isTrue),
        ("'abc'.substring(3) == ''", .isTrue), ("self.butterfly.substring(1) == '!'", .isTrue),
        ("'abc'.substring(4) == ''", bounds), ("'abc'.substring(-1) == ''", bounds),
        ("'abc'.substring(2, 1) == ''", bounds), ("'abc'.substring('1') == ''", overload),
        ("self.name.matches('^w.b$')", .isTrue), ("self.name.matches('x')", .isFalse),
        ("self.port.matches('8')", overload), ("matches(self.name, 'e')", .isTrue),
        ("self.name.matches(self.name)", .isTrue),
        ("self.name.matches(self.name + '(')", .failed("not a regular expression")),
        ("self.name.matches(1)", overload),
        ("isIP('10.0.0.1')", .isTrue), ("isIP('::1')", .isTrue), ("isIP('2001:db8::')", .isTrue),
        ("isIP('10.0.0.01')", .isFalse), ("isIP('10.0.0')", .isFalse),
        ("isIP('fe80::1%eth0')", .isFalse),
        ("isIP('::ffff:1.2.3.4')", .isFalse), ("isIP('example.com')", .isFalse),
        ("isIP('')", .isFalse),
        ("isIP(self.port)", overload),
        ("duration('1h30m') == duration('90m')", .isTrue),
        ("duration('1.5s') == duration('1500ms')", .isTrue),
        ("duration('-1ms') < duration('0')", .isTrue),
        ("duration('+1us') > duration('1ns')", .isTrue),
        ("duration('.5s') == duration('500ms')", .isTrue),
        ("duration('1.s') == duration('1s')", .isTrue),
        ("duration('1m') + duration('1s') == duration('61s')", .isTrue),
        ("duration('1m') - duration('1s') == -duration('-59s')", .isTrue),
        ("duration('1m') * duration('1s') == duration('1s')", overload),
        ("duration('1s') == 1000000000", .isFalse),
        ("duration('1\\u00b5s') == duration('1us')", .isTrue),
        ("duration('9223372036854775807ns') + duration('1ns') == duration('0')", overflow),
        ("-(duration('-9223372036854775807ns') - duration('1ns')) == duration('0')", overflow),
        ("duration(self.port) == duration('0')", overload),
    ]

    static let macros: [(String, Expression.Verdict)] = [
        ("self.list.all(x, x > 0)", .isTrue), ("self.list.all(x, x > 1)", .isFalse),
        ("self.none.all(x, false)", .isTrue), ("self.none.exists(x, true)", .isFalse),
        ("self.list.exists(x, x == 3)", .isTrue), ("self.list.exists(x, x == 4)", .isFalse),
        // As with && and ||, an element that decides outweighs an error.
        ("self.records.all(r, r.port == 1)", .isFalse),
        ("self.records.all(r, r.port > 0)", missing("port")),
        ("self.records.exists(r, r.port == 3)", missing("port")),
        ("self.records.exists(r, r.port == 2)", .isTrue),
        ("self.mixed.exists(x, x == 'x')", .isTrue), ("self.list.all(x, x)", overload),
        ("self.names.exists_one(n, n == 'b')", .isTrue),
        ("self.names.exists_one(n, n == 'a')", .isFalse),
        ("self.names.existsOne(n, n == 'c')", .isFalse),
        ("self.records.exists_one(r, r.port == 1)", missing("port")),
        ("self.names.filter(n, n == 'a') == ['a', 'a']", .isTrue),
        ("self.list.filter(x, x).size() == 1", overload),
        ("[true, false].filter(x, x).size() == 1", .isTrue),
        ("self.list.map(x, x * 2) == [2, 4, 6]", .isTrue),
        ("self.list.map(x, x > 1, x * 2) == [4, 6]", .isTrue),
        ("self.list.map(x, x, x) == []", overload),
        ("self.records.map(r, r.port) == []", missing("port")),
        ("self.record.all(key, key.size() < 10)", .isTrue),
        ("self.record.exists(key, key == 'kind')", .isTrue),
        ("self.all(key, key != 'nothing')", .isTrue),
        ("{1: 2, 3: 4}.map(key, key) == [1, 3]", .isTrue),
        ("self.port.all(x, true)", overload), ("self.name.exists(x, true)", overload),
        ("self.list.all(x, self.list.exists_one(y, x == y))", .isTrue),
        ("self.names.all(x, self.names.exists_one(y, x == y))", .isFalse),
        ("self.list.all(self, self > 0) && self.port == 80", .isTrue),
        ("self.list.map(x, self.list.map(x, x)[0] + x) == [2, 3, 4]", .isTrue),
    ]

    static let literals = [
        "0x1F == 31", "1e3 == 1000", "1.5e-1 == 0.15", ".5 == 0.5", "'a' == \"a\"", "'' == \"\"",
        "'\\a\\b\\f\\n\\r\\t\\v\\\\\\'\\\"\\`\\?'.size() == 12",
        "'\\x41\\101\\u0041\\U00000041' == 'AAAA'",
        "r'\\d' == '\\\\d'", "R'\\d'.size() == 2",
        "'''a'b\nc'''.size() == 5", "\"\"\"a\"b\"\"\" == 'a\"b'", "r'''\\''' == '\\\\'",
        "r\"\"\"^(\\*\\.)?$\"\"\" == '^(\\\\*\\\\.)?$'", "\t1 ==\n1 // and so on", "-1 == 0 - 1",
        "--1 == 1",
        "[] == [ ]", "{} == { }", "null != false", "1-1==0", "'é'.size() == 1",
    ]

    static let mistakes: [(String, Int, String)] = [
        ("", 0, "the expression ends too early"), ("1 +", 3, "the expression ends too early"),
        ("1 2", 2, "the expression should end here"), ("(1", 2, "expected )"),
        ("[1", 2, "expected ,"),
        ("a ? b", 0, "there is no variable a"), ("true ? 1", 8, "expected :"),
        ("{1, 2}", 2, "expected :"),
        ("self.", 5, "expected a name"), ("self.in", 5, "expected a name"),
        ("== 1", 0, "no value begins so"),
        ("foo(1)", 0, "there is no function foo"), ("self.foo()", 5, "there is no method foo"),
        ("split('a')", 0, "there is no function split"),
        ("self.isIP()", 5, "there is no method isIP"),
        ("size()", 0, "size does not take 0 arguments"),
        ("self.size(1)", 5, "size does not take 1 arguments"),
        ("self.matches('a', 'b')", 5, "matches does not take 2 arguments"),
        ("size(self,)", 10, "expected an argument"),
        ("has(self)", 4, "has takes a field, as in has(self.name)"),
        ("self.all(1, true)", 9, "expected a name"), ("self.all(x)", 10, "expected ,"),
        ("self.all(for, true)", 12, "for is no name of a variable"),
        ("self.all(x, true) && x", 21, "there is no variable x"),
        ("self.all(x, true", 16, "expected )"),
        ("'a", 0, "the string does not end"), ("'a\nb'", 0, "the string does not end"),
        ("'''a'", 0, "the string does not end"), ("'a\\", 2, "the string does not end"),
        ("'\\q'", 1, "no escape begins so"), ("'\\x4'", 1, "the escape has too few digits"),
        ("'\\uD800'", 1, "the escape names no character"),
        ("'\\09'", 1, "the escape has too few digits"),
        ("b'a'", 0, "only r may stand before a string: bytes are not read"),
        ("1u", 0, "a number ends with a letter; unsigned ones are not read"),
        ("9223372036854775808", 0, "no number of 64 bits"), ("1e999", 0, "no number of 64 bits"),
        ("0x", 0, "no integer of 64 bits"), ("1 # 2", 2, "no expression has this character here"),
        ("self & self", 5, "no expression has this character here"),
        (
            "self.matches('a(')", 13,
            "the regular expression is wrong at 2: missing closing parenthesis"
        ),
    ]
}
