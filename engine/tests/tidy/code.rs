//! Just enough of Rust's grammar: where code ends and text begins, what is imported, where functions
//! end.

/// The source with comments and the inside of literals replaced by spaces; lines stay lines.
pub(crate) fn blank(source: &str) -> String {
    let mut rest = source;
    let mut code = String::with_capacity(source.len());
    while !rest.is_empty() {
        let (kept, blanked) = next(rest, code.chars().next_back());
        let (head, tail) = rest.split_at(kept + blanked);
        code.push_str(&head[..kept]);
        code.extend(
            head[kept..]
                .chars()
                .map(|c| if c == '\n' { '\n' } else { ' ' }),
        );
        rest = tail;
    }
    code
}

/// How many bytes at the start are code, and how many after them are not.
fn next(rest: &str, before: Option<char>) -> (usize, usize) {
    let first = rest.chars().next().map_or(1, char::len_utf8);
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        (0, rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        (0, block_comment(rest))
    } else if rest.starts_with('"') {
        (0, string(rest))
    } else if !in_word && (rest.starts_with("r\"") || rest.starts_with("r#")) {
        raw_string(&rest[1..]).map_or((first, 0), |length| (0, length + 1))
    } else if rest.starts_with('\'') {
        character(rest).map_or((first, 0), |length| (0, length))
    } else {
        (first, 0)
    }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a raw string whose `r` is already taken; none if it is a raw identifier.
fn raw_string(rest: &str) -> Option<usize> {
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    if !rest[hashes..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let inside = hashes + 1;
    Some(
        rest[inside..]
            .find(&end)
            .map_or(rest.len(), |at| inside + at + end.len()),
    )
}

/// The length of a character literal; none if it is a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        return rest[2..]
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '\'')
            .map(|(at, _)| at + 3);
    }
    let (at, second) = chars.next()?;
    (second == '\'').then_some(at + 1)
}

/// The lines, counted from one, on which `word` stands as a whole word of the code.
pub(crate) fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    let lines = code.lines().enumerate();
    lines
        .filter(|(_, line)| has_word(line, word))
        .map(|(at, _)| at + 1)
        .collect()
}

pub(crate) fn has_word(line: &str, word: &str) -> bool {
    words(line).any(|found| found == word)
}

/// Identifiers and keywords in order.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

/// What a source imports: each path of each `use`, braces multiplied out, with its line.
pub(crate) fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = code[at..].find("use ").map(|offset| at + offset) {
        at = start + 4;
        let begins = code[..start]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let Some(end) = code[at..].find(';') else {
            break;
        };
        if begins {
            let line = code[..start].matches('\n').count() + 1;
            let tree: String = code[at..at + end]
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            multiply("", &tree, &mut |path| found.push((line, path)));
            at += end;
        }
    }
    found
}

fn multiply(prefix: &str, tree: &str, each: &mut impl FnMut(String)) {
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in tree.char_indices().chain([(tree.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                let part = tree[start..at].trim();
                start = at + 1;
                match part.split_once('{') {
                    Some((head, inside)) => {
                        let inside = inside.trim_end().trim_end_matches('}');
                        multiply(&format!("{prefix}{}", head.trim()), inside, each);
                    }
                    None if part.is_empty() => {}
                    None => each(format!(
                        "{prefix}{}",
                        part.split(' ').next().unwrap_or(part)
                    )),
                }
            }
            _ => {}
        }
    }
}

/// A function: its name, the line it begins on, its lines from `fn` to the closing brace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// Every function with a body.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = code[at..].find("fn ").map(|offset| at + offset) {
        at = start + 3;
        let begins = code[..start]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let Some(name) = words(&code[at..]).next().filter(|_| begins) else {
            continue;
        };
        if let Some(length) = body(&code[at..]) {
            found.push(Function {
                name: name.to_owned(),
                line: code[..start].matches('\n').count() + 1,
                lines: code[start..at + length].matches('\n').count() + 1,
            });
        }
    }
    found
}

/// The bytes up to the brace that closes the body; none for a declaration without one.
fn body(code: &str) -> Option<usize> {
    let (mut round, mut curly) = (0_i32, 0_i32);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => round += 1,
            ')' | ']' => round -= 1,
            ';' if round == 0 && curly == 0 => return None,
            '{' => curly += 1,
            '}' => {
                curly -= 1;
                if curly == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[test]
fn literals_and_comments_are_not_code() {
    let source = "let a = \"fn \\\" x\"; // use b\nlet c: &'a str = r#\"d\"#; /* e /* f */ g */ let h = '\\'';";
    let code = blank(source);
    let seen: Vec<&str> = words(&code).collect();
    assert_eq!(seen, ["let", "a", "let", "c", "a", "str", "let", "h"]);
    assert_eq!(code.lines().count(), 2);
}

#[test]
fn imports_are_multiplied_out() {
    let code = "use crate::{a::{B, self}, c as d};\npub use e::F;";
    let paths: Vec<(usize, String)> = imports(code);
    let paths: Vec<(usize, &str)> = paths
        .iter()
        .map(|(line, path)| (*line, path.as_str()))
        .collect();
    assert_eq!(
        paths,
        [
            (1, "crate::a::B"),
            (1, "crate::a::self"),
            (1, "crate::c"),
            (2, "e::F")
        ]
    );
}

#[test]
fn functions_are_measured_from_signature_to_brace() {
    let found = functions("fn a(\n b: [u8; 2],\n) {\n if x { y }\n}\nfn c();\nfn d() {}");
    let found: Vec<(&str, usize, usize)> = found
        .iter()
        .map(|each| (each.name.as_str(), each.line, each.lines))
        .collect();
    assert_eq!(found, [("a", 1, 5), ("d", 7, 1)]);
}
