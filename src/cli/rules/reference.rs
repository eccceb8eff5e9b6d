//! A text to measure rules on: made up of the words and forms that source code, settings and prose are full of.

/// Words that stand in any program, and parts of its names.
const WORDS: &[&str] = &[
    "access", "account", "action", "address", "admin", "alert", "amount", "api", "app", "apply", "args",
    "array", "async", "auth", "author", "await", "base", "block", "body", "bool", "border", "box", "break",
    "buffer", "build", "button", "bytes", "cache", "call", "case", "catch", "change", "char", "check",
    "child", "class", "clean", "client", "close", "cloud", "code", "color", "column", "command", "commit",
    "config", "const", "content", "context", "copy", "count", "create", "current", "data", "date", "debug",
    "default", "define", "delete", "device", "display", "document", "driver", "element", "else", "email",
    "empty", "enable", "end", "entry", "enum", "error", "event", "exit", "export", "extend", "false",
    "field", "file", "filter", "final", "find", "first", "flag", "float", "flow", "folder", "font", "for",
    "form", "format", "found", "frame", "from", "function", "group", "handler", "hash", "header", "height",
    "hidden", "host", "html", "http", "https", "icon", "image", "import", "index", "info", "init", "input",
    "insert", "int", "integer", "item", "json", "key", "label", "last", "layout", "left", "length", "level",
    "library", "license", "limit", "line", "link", "list", "load", "local", "lock", "log", "login", "loop",
    "mail", "main", "manager", "map", "margin", "match", "memory", "menu", "message", "method", "model",
    "module", "mode", "name", "network", "node", "none", "null", "number", "object", "open", "option",
    "order", "output", "page", "panel", "param", "parent", "parse", "password", "patch", "path", "pattern",
    "pixel", "plugin", "point", "port", "position", "print", "private", "process", "project", "property",
    "public", "query", "queue", "random", "range", "read", "record", "region", "release", "render", "report",
    "request", "require", "resource", "response", "result", "return", "right", "root", "route", "rule",
    "save", "schema", "scope", "script", "search", "secret", "select", "self", "send", "server", "service",
    "session", "setting", "shadow", "shape", "size", "socket", "sort", "source", "space", "span", "start",
    "state", "static", "status", "step", "storage", "store", "stream", "string", "struct", "style", "submit",
    "super", "switch", "system", "table", "tag", "target", "task", "template", "test", "text", "theme",
    "this", "thread", "time", "title", "token", "total", "trace", "track", "tree", "true", "type", "union",
    "unit", "update", "upload", "user", "util", "value", "version", "view", "void", "warning", "web",
    "while", "width", "window", "word", "work", "write", "xml", "yield", "zone",
];

/// Makes about `bytes` bytes, the same each time.
pub fn text(bytes: usize) -> Vec<u8> {
    let mut state = 0x5eed_u64;
    let mut below = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % n.max(1)
    };
    let mut out = String::with_capacity(bytes + 200);
    while out.len() < bytes {
        let mut word = || WORDS[below(WORDS.len())];
        let [a, b, c, d] = [word(), word(), word(), word()];
        let (upper, number) = (c.to_uppercase(), below(100_000));
        let line = match below(12) {
            0 => format!("    let {a}_{b} = self.{c}({d}, {number})?;\n"),
            1 => format!("  \"{a}_{b}\": \"{c} {d}\",\n"),
            2 => format!("{upper}_{}={a}/{b}.{d}\n", b.to_uppercase()),
            3 => format!("// The {a} of a {b} is its {c}, and never the {d} of another {a}.\n"),
            4 => format!("<{a} class=\"{b}-{c}\" id=\"{d}{number}\">{b} {c}</{a}>\n"),
            5 => format!("    if ({a}.{b} != {upper}) {{ return {d}.get('{b}-{c}'); }}\n"),
            6 => format!("import {{ {a}, {b} }} from './{c}/{d}.js';\n"),
            7 => format!("def {a}_{b}(self, {c}={number}, {d}=None):\n"),
            8 => format!("#define {upper}_{} 0x{number:08x}\n", d.to_uppercase()),
            9 => format!("commit {number:08x}{:032x}\n\n    {a} {b}: {c} the {d}\n", below(usize::MAX >> 1)),
            10 => format!("{a}: {{{b}: {c}px; {d}: #{number:06x};}}\n"),
            _ => format!("[{number}] INFO {a}.{b} - {c} {d} took {number} ms\n"),
        };
        out.push_str(&line);
    }
    out.into_bytes()
}
