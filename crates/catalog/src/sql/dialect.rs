//! Turns text into a tree: exactly one query, in the part of SQL that the three engines share.

use sqlparser::ast::{self, Statement};
use sqlparser::dialect::Dialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::problem::Problem;

/// Plain SQL with `$name` parameters, FILTER and named windows.
#[derive(Debug)]
struct Portable;

impl Dialect for Portable {
    fn identifier_quote_style(&self, _identifier: &str) -> Option<char> {
        Some('"')
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_ascii_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_ascii_alphanumeric() || ch == '_'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_dollar_placeholder(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }
}

/// A procedure has a few hundred.
const TOKENS_MAX: usize = 6000;

/// The one query of `text`. The problem's file is left to the caller.
pub(super) fn parse(text: &str) -> Result<ast::Query, Problem> {
    if let Some(at) = text.find('\0') {
        return Err(Problem::at(
            "",
            crate::read::position(text, at),
            "the text holds a NUL character",
            "remove it",
        ));
    }
    let tokens = Tokenizer::new(&Portable, text)
        .tokenize_with_location()
        .map_err(|e| Problem::at("", place(e.location), e.message, ""))?;
    // Bounds the depth of the tree: `a OR a OR ...` is one level deeper with each term.
    if tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_))).count() > TOKENS_MAX {
        return Err(Problem::of(
            "",
            format!("the query has more than {TOKENS_MAX} words and signs"),
            "split it",
        ));
    }
    let end =
        tokens.iter().rfind(|t| !matches!(t.token, Token::Whitespace(_) | Token::EOF)).map(|t| t.span.end);
    let mut parser = Parser::new(&Portable).with_recursion_limit(100).with_tokens_with_locations(tokens);
    let mut statements = parser.parse_statements().map_err(|e| located(&e, end.map(place)))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(Statement::Query(query)), true) => Ok(*query),
        (None, _) => Err(Problem::of("", "there is no query", "write one SELECT")),
        (Some(_), false) => {
            Err(Problem::of("", "there is more than one statement", "write exactly one SELECT"))
        }
        (Some(_), true) => Err(Problem::at("", (1, 1), "this is no SELECT", "write exactly one SELECT")),
    }
}

/// The parser writes the place at the end of its sentence.
fn located(error: &ParserError, end: Option<(u32, u32)>) -> Problem {
    let message = match error {
        ParserError::ParserError(m) | ParserError::TokenizerError(m) => m.as_str(),
        ParserError::RecursionLimitExceeded => {
            return Problem::of("", "the query is nested too deeply", "split it into WITH parts");
        }
    };
    let (sentence, at) = match message.rsplit_once(" at Line: ") {
        Some((sentence, rest)) => {
            let mut numbers = rest.split(", Column: ").map(|n| n.trim().parse().unwrap_or(0));
            (sentence, (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)))
        }
        None => (message, end.unwrap_or((0, 0))),
    };
    let sentence = sentence.strip_prefix("sql parser error: ").unwrap_or(sentence);
    let (expected, found) = sentence.split_once(", found: ").unwrap_or((sentence, ""));
    let mut chars = expected.chars();
    let lower: String = chars.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(chars).collect();
    match found {
        "" => Problem::at("", at, lower, ""),
        "EOF" => Problem::at("", end.unwrap_or(at), format!("{lower}, but the text ends"), ""),
        found => Problem::at("", at, format!("{lower}, found `{found}`"), ""),
    }
}

/// A place as line and column.
pub(super) fn place(location: sqlparser::tokenizer::Location) -> (u32, u32) {
    (u32::try_from(location.line).unwrap_or(0), u32::try_from(location.column).unwrap_or(0))
}
