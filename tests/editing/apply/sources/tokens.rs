use std::collections::HashMap;
use std::fmt;

const KEYWORDS: [&str; 4] = [
    "fn",
    "let",
    "match",
    "return",
];

/// What a text is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Word(String),
    Number(i64),
    Mark(char),
}

pub struct Lexer {
    names: HashMap<String, usize>,
    position: usize,
    line: usize,
}

impl Lexer {
    pub fn new() -> Self {
        Lexer {
            names: HashMap::new(),
            position: 0,
            line: 1,
        }
    }

    pub fn read(&mut self, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        for word in text.split_whitespace() {
            let token = match word.parse::<i64>() {
                Ok(number) => Token::Number(number),
                Err(_) => Token::Word(word.to_string()),
            };
            self.position += word.len();
            self.note(word);
            tokens.push(token);
        }
        tokens
    }

    fn note(&mut self, word: &str) {
        let count = self.names.entry(word.to_string()).or_insert(0);
        *count += 1;
    }
}

impl fmt::Display for Token {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Token::Word(word) => write!(out, "{}", word),
            Token::Number(number) => write!(out, "{}", number),
            Token::Mark(mark) => write!(out, "{}", mark),
        }
    }
}
