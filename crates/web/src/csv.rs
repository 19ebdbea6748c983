//! Tables as CSV (RFC 4180), safe to open in a spreadsheet: no cell is taken for a formula.

/// A table as it is exported: exactly the rows that are shown, and in each of them what they are of.
#[derive(Debug, Default)]
pub(crate) struct Csv {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Csv {
    pub(crate) fn new<const N: usize>(columns: [&'static str; N]) -> Self {
        Self::of(columns.map(str::to_owned).to_vec())
    }

    /// With columns that only the content knows.
    pub(crate) fn of(columns: Vec<String>) -> Self {
        Self { columns, rows: vec![] }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    /// A row of as many cells as there are columns.
    pub(crate) fn row_of(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The text, with `more` columns that say the same in every row.
    pub(crate) fn text(&self, more: &[(&str, String)]) -> String {
        let head = self.columns.iter().map(String::as_str).chain(more.iter().map(|(name, _)| *name));
        let mut text = line(head);
        for row in &self.rows {
            let cells = row.iter().map(String::as_str).chain(more.iter().map(|(_, value)| value.as_str()));
            text.push_str(&line(cells));
        }
        text
    }
}

/// A line of cells.
pub(crate) fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut text = cells.map(app::csv_cell).collect::<Vec<_>>().join(",");
    text.push_str("\r\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_neither_split_nor_run() {
        let mut csv = Csv::new(["what", "n"]);
        csv.row(["=HYPERLINK(\"x\")".to_owned(), "-5".to_owned()]);
        csv.row(["a,\"b\"\r\nc".to_owned(), "-5+cmd".to_owned()]);
        csv.row(["@x".to_owned(), "+1".to_owned()]);
        assert_eq!(
            csv.text(&[("of", "7".to_owned())]),
            "what,n,of\r\n\"'=HYPERLINK(\"\"x\"\")\",-5,7\r\n\"a,\"\"b\"\"\r\nc\",'-5+cmd,7\r\n'@x,'+1,7\r\n"
        );
    }
}
