//! A word count as an external program, map and reduce in one: `rustc -O -o word-count examples/external/word-count.rs`. No crates.
//!
//! Map: the words of a line, each with "1". Reduce: of sorted pairs, each word with the sum.

use std::io::{self, Read, Write};

/// Standard input with a buffer, and the output that is written before a read that may wait.
struct Disco {
    input: Vec<u8>,
    at: usize,
    output: Vec<u8>,
}

impl Disco {
    fn new() -> Self {
        Disco { input: Vec::new(), at: 0, output: Vec::new() }
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(&self.output)?;
        out.flush()?;
        self.output.clear();
        Ok(())
    }

    /// Gets `count` bytes into the buffer; `false` at the end of the input.
    fn fill(&mut self, count: usize) -> io::Result<bool> {
        while self.input.len() - self.at < count {
            self.flush()?;
            self.input.drain(..self.at);
            self.at = 0;
            let had = self.input.len();
            self.input.resize(had + (1 << 18), 0);
            let got = io::stdin().read(&mut self.input[had..])?;
            self.input.truncate(had + got);
            if got == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn item(&mut self) -> io::Result<Option<Vec<u8>>> {
        if !self.fill(4)? {
            return if self.input.len() == self.at { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        let mut size = [0; 4];
        size.copy_from_slice(&self.input[self.at..self.at + 4]);
        self.at += 4;
        let size = u32::from_le_bytes(size) as usize;
        if !self.fill(size)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += size;
        Ok(Some(self.input[self.at - size..self.at].to_vec()))
    }

    /// The next record.
    fn next(&mut self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        match self.item()? {
            None => Ok(None),
            Some(key) => match self.item()? {
                None => Err(io::ErrorKind::UnexpectedEof.into()),
                Some(value) => Ok(Some((key, value))),
            },
        }
    }

    /// The parameters in netstring form. This program has none; it only has to read them.
    fn skip_params(&mut self) -> io::Result<()> {
        let mut size = 0;
        while self.fill(1)? {
            let c = self.input[self.at];
            self.at += 1;
            if c == b'\n' {
                break;
            }
            size = size * 10 + usize::from(c.wrapping_sub(b'0'));
        }
        self.fill(size)?;
        self.at += size;
        Ok(())
    }

    fn put(&mut self, item: &[u8]) {
        self.output.extend_from_slice(&(item.len() as u32).to_le_bytes());
        self.output.extend_from_slice(item);
    }

    fn write_list<'a>(&mut self, pairs: &[(&'a str, String)]) {
        self.output.extend_from_slice(&(pairs.len() as u32).to_le_bytes());
        for (key, value) in pairs {
            self.put(key.as_bytes());
            self.put(value.as_bytes());
        }
    }
}

fn map(disco: &mut Disco) -> io::Result<()> {
    while let Some((_, line)) = disco.next()? {
        let line = String::from_utf8_lossy(&line).to_lowercase();
        let pairs: Vec<_> = line
            .split(|c: char| !c.is_ascii_lowercase())
            .filter(|word| word.len() >= 2)
            .map(|word| (word, String::from("1")))
            .collect();
        disco.write_list(&pairs);
    }
    Ok(())
}

fn reduce(disco: &mut Disco) -> io::Result<()> {
    let mut current: Option<(String, u64)> = None;
    while let Some((key, value)) = disco.next()? {
        let key = String::from_utf8_lossy(&key).into_owned();
        let count: u64 = String::from_utf8_lossy(&value).parse().unwrap_or(0);
        match &mut current {
            Some((word, sum)) if *word == key => *sum += count,
            _ => {
                if let Some((word, sum)) = current.take() {
                    disco.write_list(&[(&word, sum.to_string())]);
                }
                current = Some((key, count));
            }
        }
    }
    if let Some((word, sum)) = current {
        disco.write_list(&[(&word, sum.to_string())]);
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let mut disco = Disco::new();
    disco.skip_params()?;
    match std::env::args().nth(1).as_deref() {
        Some("reduce") => reduce(&mut disco)?,
        _ => map(&mut disco)?,
    }
    disco.flush()
}
