//! SQLite databases: the records of every table and index, and what is left of deleted ones.
//!
//! Format: "Database File Format" of sqlite.org.

use std::collections::HashMap;

use super::cursor::Cursor;
use super::stream::Stream;
use super::strings;
use super::{Kind, Walker, recognise};

pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// Text is given to the sink when there is this much of it, in bytes.
const BATCH: usize = 1 << 20;
/// Longest record that is put together from overflow pages, in bytes.
const MAX_RECORD: usize = 64 << 20;
/// Most columns of a record: SQLite's own hard limit. More are made up, to fill the memory.
const MAX_COLUMNS: usize = 32_767;
/// Shortest stretch of text that is taken from free space, in bytes.
const MIN_FREE_TEXT: usize = 6;

const INTERIOR_INDEX: u8 = 2;
const INTERIOR_TABLE: u8 = 5;
const LEAF_INDEX: u8 = 10;
const LEAF_TABLE: u8 = 13;

struct Database<'a> {
    bytes: &'a [u8],
    page_size: usize,
    /// Bytes of a page without those that extensions reserve.
    usable: usize,
}

/// The text of one table that was not yet given to the sink.
#[derive(Default)]
struct Batch {
    text: Vec<u8>,
    /// Values that are containers: row and bytes.
    containers: Vec<(u64, Vec<u8>)>,
    /// Bytes of those.
    contained: usize,
    rows: u64,
}

/// Gives the rows of each table or index as one member: a line for each, columns apart by tabs.
pub(super) fn open(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    let Some(database) = Database::of(bytes) else {
        return walker.skip("archive-damaged", "its page size is none".to_owned());
    };
    let pages = database.pages();
    let mut owner: Vec<u32> = vec![0; pages + 1];
    let mut names = vec![b"(schema)".to_vec()];
    database.claim(1, 1, &mut owner);
    for (name, root) in database.schema(walker, &owner) {
        names.push(name);
        database.claim(root, names.len() as u32, &mut owner);
    }
    let mut by_owner: HashMap<u32, Vec<usize>> = HashMap::new();
    for page in 1..=pages {
        by_owner.entry(owner.get(page).copied().unwrap_or_default()).or_default().push(page);
    }
    for (i, name) in names.iter().enumerate() {
        let pages = by_owner.remove(&(i as u32 + 1)).unwrap_or_default();
        if !database.give_table(walker, name, &pages) {
            return;
        }
    }
    let free = by_owner.remove(&0).unwrap_or_default();
    database.give_free(walker, &owner, &free);
}

/// A number of one to nine bytes, the highest seven bits first.
fn varint(cursor: &mut Cursor<'_>) -> Option<u64> {
    let mut value = 0u64;
    for _ in 0..8 {
        let b = cursor.u8()?;
        value = value << 7 | u64::from(b & 0x7f);
        if b < 0x80 {
            return Some(value);
        }
    }
    Some(value << 8 | u64::from(cursor.u8()?))
}

impl<'a> Database<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let page_size = match Cursor::at(bytes, 16).u16_be()? {
            1 => 65536,
            n if n >= 512 && n.is_power_of_two() => usize::from(n),
            _ => return None,
        };
        let reserved = usize::from(*bytes.get(20)?);
        (page_size >= reserved + 480).then_some(Database { bytes, page_size, usable: page_size - reserved })
    }

    fn pages(&self) -> usize {
        self.bytes.len().div_ceil(self.page_size)
    }

    /// A page, by its number from 1.
    fn page(&self, number: usize) -> &'a [u8] {
        let start = number.saturating_sub(1).saturating_mul(self.page_size);
        let rest = self.bytes.get(start..).unwrap_or_default();
        rest.get(..self.usable.min(rest.len())).unwrap_or_default()
    }

    /// Where the header of a page's tree begins: behind the file's header on the first.
    fn header(number: usize) -> usize {
        if number == 1 { 100 } else { 0 }
    }

    fn kind(&self, number: usize) -> u8 {
        self.page(number).get(Self::header(number)).copied().unwrap_or_default()
    }

    /// Offsets of the cells of a tree page.
    fn cells(&self, number: usize) -> Vec<usize> {
        let page = self.page(number);
        let header = Self::header(number);
        let n = Cursor::at(page, header + 3).u16_be().unwrap_or_default();
        let array = header + if self.kind(number) <= INTERIOR_TABLE { 12 } else { 8 };
        let mut cursor = Cursor::at(page, array);
        (0..n).map_while(|_| cursor.u16_be()).map(usize::from).collect()
    }

    /// Marks all pages of a tree as its own. A page has one owner, so trees that lead in circles end.
    fn claim(&self, root: usize, by: u32, owner: &mut [u32]) {
        let mut next = vec![root];
        while let Some(page) = next.pop() {
            match owner.get_mut(page) {
                Some(slot) if *slot == 0 && page > 0 => *slot = by,
                _ => continue,
            }
            let kind = self.kind(page);
            let bytes = self.page(page);
            if matches!(kind, INTERIOR_INDEX | INTERIOR_TABLE) {
                let child = |at: usize| Cursor::at(bytes, at).u32_be().map(|n| n as usize);
                next.extend(self.cells(page).into_iter().filter_map(child));
                next.extend(child(Self::header(page) + 8));
            }
            if kind != INTERIOR_TABLE {
                for cell in self.cells(page) {
                    self.claim_overflow(page, cell, by, owner);
                }
            }
        }
    }

    fn claim_overflow(&self, page: usize, cell: usize, by: u32, owner: &mut [u32]) {
        let Some((_, _, Some(mut next))) = self.local(page, cell) else { return };
        while let Some(slot) = owner.get_mut(next).filter(|slot| **slot == 0 && next > 0) {
            *slot = by;
            next = Cursor::new(self.page(next)).u32_be().unwrap_or_default() as usize;
        }
    }

    /// The part of a cell's record that is on the page, the record's length, and its first overflow page.
    fn local(&self, page: usize, cell: usize) -> Option<(&'a [u8], usize, Option<usize>)> {
        let mut cursor = Cursor::at(self.page(page), cell);
        let kind = self.kind(page);
        if kind == INTERIOR_INDEX {
            cursor.take(4)?;
        }
        let len = usize::try_from(varint(&mut cursor)?).ok()?;
        if kind == LEAF_TABLE {
            varint(&mut cursor)?; // the row's id
        }
        let most = if kind == LEAF_TABLE { self.usable - 35 } else { (self.usable - 12) * 64 / 255 - 23 };
        if len <= most {
            return Some((cursor.take(len)?, len, None));
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + (len - least) % (self.usable - 4);
        let here = cursor.take(if fitting <= most { fitting } else { least })?;
        Some((here, len, Some(cursor.u32_be()? as usize)))
    }

    /// A cell's record, with what is on overflow pages.
    fn record(&self, page: usize, cell: usize) -> Option<Vec<u8>> {
        let (here, len, overflow) = self.local(page, cell)?;
        let mut record = here.to_vec();
        let mut next = overflow;
        while let Some(number) = next.filter(|n| *n > 0 && record.len() < len.min(MAX_RECORD)) {
            let mut cursor = Cursor::new(self.page(number));
            next = Some(cursor.u32_be()? as usize);
            let more = cursor.rest();
            if more.is_empty() {
                break;
            }
            record.extend_from_slice(more.get(..(len - record.len()).min(more.len()))?);
        }
        Some(record)
    }

    /// Name and root page of every table and index.
    fn schema(&self, walker: &Walker<'_, '_>, owner: &[u32]) -> Vec<(Vec<u8>, usize)> {
        let mut found = Vec::new();
        for page in (1..=self.pages()).filter(|page| owner.get(*page) == Some(&1)) {
            if self.kind(page) != LEAF_TABLE {
                continue;
            }
            for cell in self.cells(page) {
                let record = self.record(page, cell).unwrap_or_default();
                // Cells that share overflow pages can make records without end.
                if !walker.meter.unpack(record.len() as u64) {
                    return found;
                }
                let columns = columns(&record).unwrap_or_default();
                if let [_, Value::Bytes(name), _, Value::Number(root), ..] = columns.as_slice() {
                    found.push((name.to_vec(), usize::try_from(*root).unwrap_or_default()));
                }
            }
        }
        found
    }

    /// Adds the records of a page.
    fn add_records(&self, walker: &Walker<'_, '_>, page: usize, batch: &mut Batch) {
        for cell in self.cells(page) {
            let record = self.record(page, cell).unwrap_or_default();
            if !walker.meter.unpack(record.len() as u64) {
                return;
            }
            batch.add(&record);
        }
    }

    /// Gives the rows of a table. False once a limit has been reached.
    fn give_table(&self, walker: &mut Walker<'_, '_>, name: &[u8], pages: &[usize]) -> bool {
        let mut batch = Batch::default();
        for &page in pages {
            if matches!(self.kind(page), LEAF_TABLE | LEAF_INDEX | INTERIOR_INDEX) {
                self.add_records(walker, page, &mut batch);
            }
            if batch.is_full() && !batch.give(walker, name) {
                return false;
            }
        }
        batch.give(walker, name)
    }

    /// Gives what free pages and the free space of pages in use still hold.
    fn give_free(&self, walker: &mut Walker<'_, '_>, owner: &[u32], free: &[usize]) {
        let mut batch = Batch::default();
        for &page in free {
            // Pages keep their records when they are freed.
            if matches!(self.kind(page), LEAF_TABLE | LEAF_INDEX) {
                self.add_records(walker, page, &mut batch);
            }
            strings::narrow(self.page(page), MIN_FREE_TEXT, &mut batch.text);
            if batch.is_full() && !batch.give(walker, b"(free pages)") {
                return;
            }
        }
        if !batch.give(walker, b"(free pages)") {
            return;
        }
        for page in (1..=self.pages()).filter(|page| owner.get(*page).is_some_and(|o| *o > 0)) {
            if matches!(self.kind(page), LEAF_TABLE | LEAF_INDEX | INTERIOR_INDEX) {
                self.free_space(page, &mut batch.text);
            }
            if batch.is_full() && !batch.give(walker, b"(free space)") {
                return;
            }
        }
        batch.give(walker, b"(free space)");
    }

    /// Appends the texts of a page that no cell covers: deleted rows.
    fn free_space(&self, page: usize, text: &mut Vec<u8>) {
        let bytes = self.page(page);
        let cells = self.cells(page);
        let header = Self::header(page);
        let mut used = vec![(0, header + 12 + 2 * cells.len())];
        for cell in cells {
            if let Some((here, _, overflow)) = self.local(page, cell) {
                let before = cell.min(bytes.len());
                let start = here.as_ptr() as usize - bytes.as_ptr() as usize;
                used.push((before, start + here.len() + if overflow.is_some() { 4 } else { 0 }));
            }
        }
        used.sort_unstable();
        let mut at = 0;
        for (from, to) in used.into_iter().chain([(bytes.len(), bytes.len())]) {
            strings::narrow(bytes.get(at..from).unwrap_or_default(), MIN_FREE_TEXT, text);
            at = at.max(to);
        }
    }
}

/// A column of a record.
enum Value<'r> {
    Null,
    Number(i64),
    Bytes(&'r [u8]),
}

fn columns(record: &[u8]) -> Option<Vec<Value<'_>>> {
    let mut cursor = Cursor::new(record);
    let header_len = usize::try_from(varint(&mut cursor)?).ok()?;
    let used = record.len() - cursor.rest().len();
    let mut header = Cursor::new(cursor.take(header_len.checked_sub(used)?)?);
    let mut columns = Vec::new();
    while !header.is_empty() && columns.len() < MAX_COLUMNS {
        let kind = varint(&mut header)?;
        let len = match kind {
            0 | 8 | 9 | 10 | 11 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            n => usize::try_from((n - 12) / 2).ok()?,
        };
        // A record whose last pages are lost is read as far as it goes.
        let bytes = cursor.take(len.min(cursor.rest().len()))?;
        columns.push(match kind {
            0 => Value::Null,
            8 => Value::Number(0),
            9 => Value::Number(1),
            1..=6 => {
                let sign = if bytes.first().is_some_and(|b| *b >= 0x80) { -1 } else { 0 };
                Value::Number(bytes.iter().fold(sign, |n, b| n << 8 | i64::from(*b)))
            }
            7 | 10 | 11 => Value::Null,
            _ => Value::Bytes(bytes),
        });
    }
    Some(columns)
}

impl Batch {
    fn is_full(&self) -> bool {
        self.text.len() + self.contained >= BATCH
    }

    /// Adds a record as a line.
    fn add(&mut self, record: &[u8]) {
        self.rows += 1;
        for (i, column) in columns(record).unwrap_or_default().into_iter().enumerate() {
            if i > 0 {
                self.text.push(b'\t');
            }
            match column {
                Value::Null => {}
                Value::Number(n) => self.text.extend_from_slice(n.to_string().as_bytes()),
                Value::Bytes(bytes) => match recognise(bytes) {
                    None => self.text.extend_from_slice(bytes),
                    Some(Kind::Binary) => {
                        let mut texts = Vec::new();
                        strings::narrow(bytes, MIN_FREE_TEXT, &mut texts);
                        texts.iter_mut().filter(|b| **b == b'\n').for_each(|b| *b = b' ');
                        self.text.extend_from_slice(&texts);
                    }
                    Some(_) => {
                        self.contained += bytes.len();
                        self.containers.push((self.rows, bytes.to_vec()));
                    }
                },
            }
        }
        self.text.push(b'\n');
    }

    /// Gives what there is to the sink. False once a limit has been reached.
    fn give(&mut self, walker: &mut Walker<'_, '_>, name: &[u8]) -> bool {
        let mut go_on = self.text.iter().all(u8::is_ascii_whitespace) || walker.text(name, &self.text);
        self.text.clear();
        self.contained = 0;
        for (row, bytes) in std::mem::take(&mut self.containers) {
            let name = [name, b" row ", row.to_string().as_bytes()].concat();
            go_on = go_on && walker.member(&name, Stream::Slice(&bytes));
        }
        go_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each byte of a record's header is a column of nothing, of which a list takes many times as much memory.
    #[test]
    fn a_record_has_no_more_columns_than_sqlite_allows() {
        let mut record = vec![0; 1 << 20];
        record[..3].copy_from_slice(&[0xbf, 0xff, 0x7f]); // a header of 1,048,575 bytes
        assert_eq!(columns(&record).unwrap().len(), MAX_COLUMNS);
        assert_eq!(columns(&[3, 0, 8]).unwrap().len(), 2);
    }
}
