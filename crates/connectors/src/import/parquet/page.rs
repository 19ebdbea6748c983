//! The pages of one column, unpacked one at a time. What a page's header says is held against its column and its file before
//! memory is reserved for it, and unpacking stops at the size that was said: a small file that would unpack to gigabytes takes
//! no more memory than an honest one. Decoding the values inside is the business of the `parquet` crate.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;

use super::thrift::{self, Stop, varint};

/// Of one page. Writers in use make pages of about a megabyte; DuckDB one of 122,880 rows, of at most 100 MB.
const PAGE: u64 = 128 << 20;
/// Of a dictionary: writers give one up when it grows beyond a megabyte or a few.
const DICTIONARY: u64 = 32 << 20;
/// Of all columns together.
const TOGETHER: u64 = 384 << 20;
/// What a value of a dictionary takes besides its bytes.
const ENTRY: u64 = 40;
/// Of a page's header; statistics in it can hold two values.
const HEADER: usize = 4 << 20;

/// Pages of one column of one row group.
pub(super) struct Pages {
    file: Arc<File>,
    /// Where the next page begins, and where the column ends.
    at: u64,
    end: u64,
    /// Rows of the row group that no page has held so far.
    left: u64,
    compression: Compression,
    kind: Type,
    /// Bytes a value of fixed length has.
    width: u64,
    nullable: bool,
    /// Whether the column says that it is written by common beginnings; then it is read value by value.
    by_prefix: bool,
    /// Memory that all columns' pages take, and this one's part of it.
    held: Arc<AtomicU64>,
    page: u64,
    dictionary: u64,
}

fn refused<T>(what: impl Into<String>) -> Result<T> {
    Err(ParquetError::General(what.into()))
}

/// Whether values of a column are written as what they have not in common with the one before. Such a value can be as long as
/// all before it together: only one at a time may be held.
pub(super) fn by_prefix(column: &ColumnChunkMetaData) -> bool {
    column.encodings().any(|e| e == Encoding::DELTA_BYTE_ARRAY)
}

impl Pages {
    pub(super) fn new(
        file: &Arc<File>,
        length: u64,
        column: &ColumnChunkMetaData,
        rows: u64,
        held: &Arc<AtomicU64>,
    ) -> Result<Self> {
        // Some writers say 0 for a dictionary that is not there.
        let begin = column.dictionary_page_offset().filter(|at| *at > 0).unwrap_or(column.data_page_offset());
        let begin = begin.min(column.data_page_offset());
        let (Ok(at), Ok(size)) = (u64::try_from(begin), u64::try_from(column.compressed_size())) else {
            return refused("its pages are said to lie before the file");
        };
        let Some(end) = at.checked_add(size).filter(|end| *end <= length) else {
            return refused("its pages are said to lie beyond the end of the file");
        };
        if column.file_path().is_some() {
            return refused("its values are said to lie in another file");
        }
        let compression = column.compression();
        match compression {
            Compression::UNCOMPRESSED
            | Compression::SNAPPY
            | Compression::GZIP(_)
            | Compression::ZSTD(_)
            | Compression::LZ4_RAW => {}
            other => {
                let name = other.to_string();
                let name = name.split('(').next().unwrap_or(&name).to_owned();
                return refused(format!(
                    "it is compressed with {name}, which is not read here; write it with SNAPPY, ZSTD, GZIP or LZ4_RAW"
                ));
            }
        }
        let descriptor = column.column_descr();
        Ok(Self {
            file: Arc::clone(file),
            at,
            end,
            left: rows,
            compression,
            kind: descriptor.physical_type(),
            width: u64::try_from(descriptor.type_length()).unwrap_or(0),
            nullable: descriptor.max_def_level() > 0,
            by_prefix: by_prefix(column),
            held: Arc::clone(held),
            page: 0,
            dictionary: 0,
        })
    }

    fn read(&self, at: u64, size: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(size)?];
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn header(&mut self) -> Result<Header> {
        let mut size = 1 << 10;
        loop {
            let bytes = self.read(self.at, (self.end - self.at).min(size))?;
            let mut header = Header::default();
            match thrift::structure(&bytes, &mut |path, value| header.take(path, value)) {
                Ok(length) => {
                    self.at += length as u64;
                    return Ok(header);
                }
                Err(Stop::Short) if bytes.len() as u64 == size && bytes.len() < HEADER => size *= 16,
                Err(_) => return refused("the header of a page cannot be read"),
            }
        }
    }

    /// Makes room for a page in place of the one before it.
    fn room(&mut self, dictionary: bool, size: u64) -> Result<()> {
        let mine = if dictionary { &mut self.dictionary } else { &mut self.page };
        let before = std::mem::replace(mine, size);
        let held = self.held.fetch_sub(before, Ordering::Relaxed) - before + size;
        self.held.fetch_add(size, Ordering::Relaxed);
        if held > TOGETHER {
            return refused(format!(
                "its pages and those of the other columns take more than {} MiB unpacked; write the file with smaller row groups",
                TOGETHER >> 20
            ));
        }
        Ok(())
    }

    fn next_page(&mut self) -> Result<Option<Page>> {
        loop {
            if self.at >= self.end {
                return Ok(None);
            }
            let header = self.header()?;
            let known = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
            let (Some(packed), Some(size)) = (known(header.packed), known(header.size)) else {
                return refused("a page has no size");
            };
            if packed > self.end - self.at {
                return refused("a page goes on beyond the end of its column");
            }
            let begin = self.at;
            self.at += packed;
            let dictionary = match header.kind {
                Some(0 | 3) => false,
                Some(2) => true,
                // Kinds that readers are told to step over.
                _ => continue,
            };
            let Some(values) = known(header.values) else { return refused("a page has no number of values") };
            if !dictionary && values == 0 {
                continue;
            }
            let limit = if dictionary { DICTIONARY } else { PAGE };
            if size > limit || packed > limit {
                return refused(format!(
                    "a page is said to unpack to {size} bytes, and {} MiB are read at most; write the file with smaller pages or row \
                     groups",
                    limit >> 20
                ));
            }
            if dictionary {
                let width = match self.kind {
                    Type::INT64 | Type::DOUBLE => 8,
                    Type::INT96 => 12,
                    Type::FIXED_LEN_BYTE_ARRAY => self.width.max(1),
                    _ => 4,
                };
                if values > size / width || self.kind == Type::BOOLEAN {
                    return refused("its dictionary is said to hold more values than there is room for");
                }
                self.room(true, size + values * ENTRY)?;
            } else {
                self.left = match self.left.checked_sub(values) {
                    Some(left) => left,
                    None => return refused("its pages hold more values than its row group has rows"),
                };
                self.room(false, size)?;
            }
            let bytes = self.read(begin, packed)?;
            if header.checksum.is_some_and(|sum| sum as u32 != crc32fast::hash(&bytes)) {
                return refused("a page is not what it was: its checksum is another one");
            }
            return self.page(&header, values, usize::try_from(size)?, bytes).map(Some);
        }
    }

    fn page(&self, header: &Header, values: u64, size: usize, bytes: Vec<u8>) -> Result<Page> {
        let num_values = u32::try_from(values)?;
        let encoding = match header.encoding {
            Some(0) => Encoding::PLAIN,
            Some(2) => Encoding::PLAIN_DICTIONARY,
            Some(3) => Encoding::RLE,
            Some(5) => Encoding::DELTA_BINARY_PACKED,
            Some(6) => Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Some(7) if self.by_prefix => Encoding::DELTA_BYTE_ARRAY,
            Some(8) => Encoding::RLE_DICTIONARY,
            Some(9) => Encoding::BYTE_STREAM_SPLIT,
            other => {
                let number = other.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
                return refused(format!(
                    "a page is written in a way that is not read here (encoding {number})"
                ));
            }
        };
        match header.kind {
            Some(2) => {
                let buf = Bytes::from(self.unpacked(&bytes, size)?);
                Ok(Page::DictionaryPage { buf, num_values, encoding, is_sorted: false })
            }
            Some(3) => {
                // Which values are there stands before them, unpacked.
                let levels = header.levels.and_then(|n| usize::try_from(n).ok());
                let Some(levels) = levels.filter(|n| *n <= size && *n <= bytes.len()) else {
                    return refused("the header of a page contradicts itself");
                };
                let nulls = header.nulls.and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= num_values);
                if header.repeated != Some(0) || nulls.is_none() {
                    return refused("the header of a page contradicts itself");
                }
                let mut buf = bytes[..levels].to_vec();
                buf.extend(match header.packs {
                    Some(0) if bytes.len() == size => bytes[levels..].to_vec(),
                    Some(0) => return refused("a page has another size than it says"),
                    _ if size == levels => vec![],
                    _ => self.unpacked(&bytes[levels..], size - levels)?,
                });
                plausible(encoding, &buf[levels..], values)?;
                Ok(Page::DataPageV2 {
                    buf: Bytes::from(buf),
                    num_values,
                    encoding,
                    num_nulls: nulls.unwrap_or(0),
                    num_rows: num_values,
                    def_levels_byte_len: u32::try_from(levels)?,
                    rep_levels_byte_len: 0,
                    is_compressed: false,
                    statistics: None,
                })
            }
            _ => {
                let buf = self.unpacked(&bytes, size)?;
                let mut from = 0;
                if self.nullable {
                    let length = buf.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
                    from = length.and_then(|n| usize::try_from(n).ok()?.checked_add(4)).unwrap_or(usize::MAX);
                    if from > buf.len() || header.levels_as != Some(3) {
                        return refused("which values of a page are there cannot be read");
                    }
                }
                plausible(encoding, &buf[from..], values)?;
                Ok(Page::DataPage {
                    buf: Bytes::from(buf),
                    num_values,
                    encoding,
                    def_level_encoding: Encoding::RLE,
                    rep_level_encoding: Encoding::RLE,
                    statistics: None,
                })
            }
        }
    }

    fn unpacked(&self, packed: &[u8], size: usize) -> Result<Vec<u8>> {
        let wrong = || ParquetError::General("a page cannot be unpacked to the size it says".to_owned());
        let mut bytes = vec![0; size];
        let unpacked = match self.compression {
            Compression::SNAPPY => snap::raw::Decoder::new().decompress(packed, &mut bytes).ok(),
            Compression::ZSTD(_) => zstd::bulk::decompress_to_buffer(packed, &mut bytes).ok(),
            Compression::LZ4_RAW => lz4_flex::block::decompress_into(packed, &mut bytes).ok(),
            Compression::GZIP(_) => {
                let mut decoder = flate2::read::MultiGzDecoder::new(packed);
                let whole = decoder.read_exact(&mut bytes).and_then(|()| decoder.read(&mut [0]));
                whole.ok().filter(|beyond| *beyond == 0).map(|_| size)
            }
            _ => {
                bytes.clear();
                bytes.extend_from_slice(packed);
                Some(packed.len())
            }
        };
        if unpacked == Some(size) { Ok(bytes) } else { Err(wrong()) }
    }
}

/// What the header of a page says.
#[derive(Default)]
struct Header {
    kind: Option<i64>,
    size: Option<i64>,
    packed: Option<i64>,
    checksum: Option<i64>,
    values: Option<i64>,
    encoding: Option<i64>,
    levels_as: Option<i64>,
    nulls: Option<i64>,
    levels: Option<i64>,
    repeated: Option<i64>,
    packs: Option<i64>,
}

impl Header {
    fn take(&mut self, path: &[i16], value: i64) {
        let field = match path {
            [1] => &mut self.kind,
            [2] => &mut self.size,
            [3] => &mut self.packed,
            [4] => &mut self.checksum,
            [5 | 7 | 8, 1] => &mut self.values,
            [5 | 7, 2] | [8, 4] => &mut self.encoding,
            [5, 3] => &mut self.levels_as,
            [8, 2] => &mut self.nulls,
            [8, 5] => &mut self.levels,
            [8, 6] => &mut self.repeated,
            [8, 7] => &mut self.packs,
            _ => return,
        };
        *field = Some(value);
    }
}

/// Whether the lengths that stand before values can be believed: room is made for as many as are said.
pub(super) fn plausible(encoding: Encoding, bytes: &[u8], values: u64) -> Result<()> {
    let fits = match encoding {
        Encoding::DELTA_BINARY_PACKED | Encoding::DELTA_LENGTH_BYTE_ARRAY => {
            deltas(bytes).is_some_and(|(count, _)| count <= values)
        }
        Encoding::DELTA_BYTE_ARRAY => deltas(bytes).is_some_and(|(count, end)| {
            count <= values && deltas(&bytes[end..]).is_some_and(|(suffixes, _)| suffixes == count)
        }),
        _ => true,
    };
    if fits { Ok(()) } else { refused("a page is said to hold other values than there are") }
}

/// How many numbers a run of DELTA_BINARY_PACKED holds, and where it ends.
fn deltas(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut at = 0;
    let mut next = || {
        let (value, length) = varint(bytes.get(at..)?).ok()?;
        at += length;
        Some(value)
    };
    let (block, parts, count, _) = (next()?, next()?, next()?, next()?);
    // Writers use 128 or a few times as many.
    if block == 0 || block > 1 << 20 || parts == 0 || !block.is_multiple_of(parts) {
        return None;
    }
    let part = block / parts;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        let (_, length) = varint(bytes.get(at..)?).ok()?;
        at += length;
        let widths = at..at.checked_add(usize::try_from(parts).ok()?)?;
        at = widths.end;
        for width in bytes.get(widths)? {
            if left == 0 {
                break;
            }
            at = at.checked_add(usize::try_from(u64::from(*width) * part / 8).ok()?)?;
            left = left.saturating_sub(part);
        }
    }
    (at <= bytes.len()).then_some((count, at))
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.held.fetch_sub(self.page + self.dictionary, Ordering::Relaxed);
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        self.next_page()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        refused("pages are read in order")
    }

    fn skip_next_page(&mut self) -> Result<()> {
        refused("pages are read in order")
    }
}
