//! Rust sources as the rules read them: no comments, no text of literals, no test modules.

/// A token with the line it stands in, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

/// The tokens of a source: words (a lifetime with its tick), `::`, and all else a character each.
/// A text literal is one token, `"` and what it holds, so that rules can look into it.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let start = at;
        let rest = &chars[at..];
        let text = match rest {
            ['/', '/', ..] => {
                at += rest.iter().take_while(|&&c| c != '\n').count();
                None
            }
            ['/', '*', ..] => {
                at += block_comment(rest);
                None
            }
            [c, ..] if c.is_whitespace() => {
                at += 1;
                None
            }
            _ if raw_string(rest).is_some() => {
                at += raw_string(rest).expect("just matched");
                Some(format!("\"{}", chars[start..at].iter().collect::<String>()))
            }
            ['"', ..] => {
                at += string(rest);
                Some(chars[start..at].iter().collect())
            }
            ['\'', ..] => match character(rest) {
                Some(length) => {
                    at += length;
                    Some("'".to_owned())
                }
                None => {
                    at += 1 + word(&rest[1..]);
                    Some(chars[start..at].iter().collect())
                }
            },
            [c, ..] if c.is_alphanumeric() || *c == '_' => {
                at += word(rest);
                Some(chars[start..at].iter().collect())
            }
            [':', ':', ..] => {
                at += 2;
                Some("::".to_owned())
            }
            [c, ..] => {
                at += 1;
                Some(c.to_string())
            }
            [] => unreachable!("at is below the length"),
        };
        if let Some(text) = text {
            tokens.push(Token { text, line });
        }
        line += chars[start..at].iter().filter(|&&c| c == '\n').count();
    }
    tokens
}

fn word(chars: &[char]) -> usize {
    let of_word = |&&c: &&char| c.is_alphanumeric() || c == '_';
    chars.iter().take_while(of_word).count()
}

/// Length of a comment that may hold others.
fn block_comment(chars: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < chars.len() {
        match &chars[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(chars: &[char]) -> usize {
    let mut at = 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// Length of `r"..."`, `r#"..."#` and their like with a `b` or `c` before, if one begins here.
fn raw_string(chars: &[char]) -> Option<usize> {
    let mut at = usize::from(matches!(chars.first(), Some('b' | 'c')));
    if chars.get(at) != Some(&'r') {
        return None;
    }
    at += 1;
    let hashes = chars[at..].iter().take_while(|&&c| c == '#').count();
    at += hashes;
    if chars.get(at) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"')
        .chain(std::iter::repeat_n('#', hashes))
        .collect();
    let body = &chars[at + 1..];
    let length = body.windows(end.len()).position(|window| window == end)?;
    Some(at + 1 + length + end.len())
}

/// Length of a character literal, if this tick begins one and not a lifetime.
fn character(chars: &[char]) -> Option<usize> {
    match chars {
        ['\'', '\\', _, rest @ ..] => Some(4 + rest.iter().position(|&c| c == '\'')?),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

/// What a source says outside its tests.
pub(super) struct Code {
    pub(super) tokens: Vec<Token>,
    /// Test modules in files of their own: `mod tests;` behind `#[cfg(test)]`.
    pub(super) test_modules: Vec<String>,
}

const CFG_TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

/// Leaves out each `#[cfg(test)] mod name { ... }`, by its braces; what stands behind it stays.
pub(super) fn code(source: &str) -> Code {
    let all = tokens(source);
    let mut code = Code {
        tokens: Vec::new(),
        test_modules: Vec::new(),
    };
    let mut at = 0;
    while at < all.len() {
        let is = |from: usize, words: &[&str]| {
            all[from..].len() >= words.len()
                && all[from..]
                    .iter()
                    .zip(words)
                    .all(|(t, word)| t.text == *word)
        };
        let module = at + CFG_TEST.len();
        if is(at, &CFG_TEST) && is(module, &["mod"]) && all.len() > module + 2 {
            if all[module + 2].text == ";" {
                code.test_modules.push(all[module + 1].text.clone());
                at = module + 3;
                continue;
            }
            if all[module + 2].text == "{" {
                at = closing(&all, module + 2) + 1;
                continue;
            }
        }
        code.tokens.push(all[at].clone());
        at += 1;
    }
    code
}

/// Where the brace that opens at `open` is closed.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

#[test]
fn sources_are_read_whole_but_for_their_tests() {
    let words = |source: &str| -> Vec<String> {
        let code = code(source);
        code.tokens.into_iter().map(|token| token.text).collect()
    };
    let source =
        "a /* b /* c */ d */ e // f\n\"g // h\" '\\'' 'i' 'static r#\"j \" k\"# b'\\x00' l";
    let found = words(source);
    assert_eq!(
        found,
        [
            "a",
            "e",
            "\"g // h\"",
            "'",
            "'",
            "'static",
            "\"r#\"j \" k\"#",
            "b",
            "'",
            "l"
        ]
    );
    let source = "a #[cfg(test)] mod tests { fn f() { \"}\" } } b #[cfg(test)] mod more; c";
    assert_eq!(words(source), ["a", "b", "c"]);
    assert_eq!(code(source).test_modules, ["more"]);
    // Another item behind the attribute is no module, and stays.
    assert_eq!(
        words("#[cfg(test)] use a; b").last().map(String::as_str),
        Some("b")
    );
    assert_eq!(tokens("a\n\nb \"c\nd\" e").last().expect("e").line, 4);
}
