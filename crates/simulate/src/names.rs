//! Names for invented people: a first and a last word, so that no two have the same unless a case wants it.

/// How many different names there are.
pub(crate) const COUNT: usize = FIRST.len() * LAST.len();

/// The n-th name; different for every number below [`COUNT`].
pub(crate) fn name(number: usize) -> (&'static str, &'static str) {
    // 4,099 is a prime and divides neither factor: every pair comes once, and neighbours share no word.
    let place = number * 4_099 % COUNT;
    (FIRST[place % FIRST.len()], LAST[place / FIRST.len()])
}

const FIRST: [&str; 64] = [
    "Ada", "Abel", "Aino", "Amara", "Anouk", "Arun", "Basil", "Bea", "Birgit", "Boris", "Carlo", "Chidi",
    "Cleo", "Dafne", "Daria", "Diego", "Edda", "Eero", "Elif", "Emre", "Esra", "Fadi", "Femke", "Finn",
    "Freya", "Gita", "Goran", "Greta", "Hamid", "Hedda", "Ines", "Ismail", "Jonas", "Joyce", "Kaveh",
    "Keiko", "Kwame", "Leila", "Linus", "Lotte", "Mahmud", "Maren", "Mila", "Nadia", "Ngozi", "Nils", "Oda",
    "Omar", "Paola", "Pavel", "Priya", "Ravi", "Rosa", "Saga", "Selim", "Sunil", "Tamar", "Tarek", "Ulla",
    "Uma", "Vera", "Viktor", "Wanda", "Yara",
];

const LAST: [&str; 96] = [
    "Abara",
    "Adler",
    "Aksoy",
    "Almeida",
    "Andov",
    "Arslan",
    "Baptiste",
    "Barros",
    "Becker",
    "Benali",
    "Berg",
    "Bianchi",
    "Bloem",
    "Borg",
    "Brandt",
    "Cabral",
    "Castell",
    "Chaudhry",
    "Conti",
    "Costa",
    "Dahl",
    "Danko",
    "Delgado",
    "Demir",
    "Dubois",
    "Eklund",
    "Eriksen",
    "Farouk",
    "Ferrer",
    "Fischer",
    "Fonseca",
    "Fuchs",
    "Garber",
    "Georgiou",
    "Gruber",
    "Haddad",
    "Hakimi",
    "Halonen",
    "Hansen",
    "Hoang",
    "Horvat",
    "Ibarra",
    "Ivanova",
    "Jansen",
    "Jensen",
    "Kaplan",
    "Karimi",
    "Keller",
    "Kimura",
    "Kovac",
    "Kramer",
    "Kumar",
    "Larsen",
    "Lehto",
    "Lindqvist",
    "Lopez",
    "Lund",
    "Maas",
    "Madsen",
    "Makela",
    "Marin",
    "Mbeki",
    "Meyer",
    "Moreau",
    "Nakata",
    "Navarro",
    "Nguyen",
    "Novak",
    "Nyberg",
    "Okafor",
    "Olsen",
    "Ortega",
    "Osman",
    "Patel",
    "Pereira",
    "Petrov",
    "Popescu",
    "Quist",
    "Rahman",
    "Ramos",
    "Richter",
    "Rossi",
    "Sahin",
    "Salo",
    "Santos",
    "Schenk",
    "Silva",
    "Sorel",
    "Stein",
    "Tanaka",
    "Toth",
    "Vargas",
    "Vogel",
    "Weiss",
    "Yilmaz",
    "Zeman",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_have_the_same_name() {
        let names: BTreeSet<_> = (0..COUNT).map(name).collect();
        assert_eq!(names.len(), COUNT);
    }
}
