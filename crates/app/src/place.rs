//! Where a workspace and its wrapping key lie. The environment is passed in, so that this can be tested.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::AppError;

/// What the process was started with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Environment {
    /// The folder the user stands in.
    pub current: PathBuf,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `XDG_DATA_HOME`.
    pub data_home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `TICKMARK_KEY_FILE`.
    pub key_file: Option<PathBuf>,
    /// `CREDENTIALS_DIRECTORY`, where systemd puts credentials.
    pub credentials: Option<PathBuf>,
}

/// Where a workspace was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it is the user's own, that nobody named: then it is worth saying.
    pub by_default: bool,
}

const CONFIG: &str = "tickmark.toml";

/// Finds the workspace: the one named, else the nearest `tickmark.toml` upwards, else the user's data folder (made when
/// it is not there).
///
/// # Errors
/// A named folder that is no workspace, or no home.
pub fn find(environment: &Environment, named: Option<&Path>) -> Result<Place, AppError> {
    if let Some(folder) = named {
        let folder = environment.current.join(folder);
        return if folder.join(CONFIG).is_file() {
            Ok(Place { folder, by_default: false })
        } else {
            Err(AppError::NoWorkspace { path: folder })
        };
    }
    for folder in environment.current.ancestors() {
        if folder.join(CONFIG).is_file() {
            return Ok(Place { folder: folder.to_owned(), by_default: false });
        }
    }
    let data = data_folder(environment).ok_or(AppError::NoHome)?;
    let folder = data.join("tickmark");
    if !folder.join(CONFIG).is_file() {
        match init(&folder, "") {
            // Another process made it in the same moment.
            Ok(()) | Err(AppError::Exists { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Place { folder, by_default: true })
}

/// The workspace that [`find`] gives, where there is one already: nothing is made.
#[must_use]
pub fn present(environment: &Environment, named: Option<&Path>) -> Option<PathBuf> {
    let is_one = |folder: &PathBuf| folder.join(CONFIG).is_file();
    if let Some(folder) = named {
        return Some(environment.current.join(folder)).filter(is_one);
    }
    let upwards = environment.current.ancestors().map(Path::to_owned).find(is_one);
    upwards.or_else(|| data_folder(environment).map(|data| data.join("tickmark")).filter(is_one))
}

/// The folder for the user's data.
pub(crate) fn data_folder(environment: &Environment) -> Option<PathBuf> {
    let home = || environment.home.as_ref().map(|home| home.join(".local/share"));
    environment.data_home.clone().or_else(home)
}

/// Makes a workspace: a folder with a configuration file.
///
/// # Errors
/// It is one already, or it cannot be written.
pub fn init(folder: &Path, organisation: &str) -> Result<(), AppError> {
    let path = folder.join(CONFIG);
    if path.exists() {
        return Err(AppError::Exists { path: folder.to_owned() });
    }
    fs::create_dir_all(folder).map_err(AppError::file("make the folder", folder))?;
    let name = if organisation.is_empty() {
        String::new()
    } else {
        format!("organisation = {}\n", toml::Value::from(organisation))
    };
    let text = format!(
        "# Configuration of this Tickmark workspace; docs/configuration.md lists what may stand here.\n{name}\
         # time_zone = \"Europe/Berlin\"   # zone in which periods are declared; UTC when absent\n\n\
         # [conventions]                 # how commit messages name reviews, tests and tickets\n\
         # reviews_since = \"2025-01-01T00:00:00Z\"\n"
    );
    if make_durably(&path, text.as_bytes(), 0o644)? {
        Ok(())
    } else {
        Err(AppError::Exists { path: folder.to_owned() })
    }
}

/// Adds a GitHub repository to a workspace's configuration, keeping what stands there.
///
/// # Errors
/// It is there already, or the file cannot be written.
pub fn add_github_source(folder: &Path, source: &crate::GitHubSource) -> Result<(), AppError> {
    let path = folder.join(CONFIG);
    let config = crate::Config::read(&path)?;
    if config.source.github.iter().any(|s| s.owner == source.owner && s.repo == source.repo) {
        return Err(AppError::Other(format!(
            "`{}/{}` is a source of this workspace already; nothing was changed",
            source.owner, source.repo
        )));
    }
    let mut text = fs::read_to_string(&path).map_err(AppError::file("read", &path))?;
    let block = toml::to_string(source).map_err(|e| AppError::Other(e.to_string()))?;
    text.push_str(&format!("\n[[source.github]]\n{block}"));
    // What was added must be read as it was meant, beside whatever stood there.
    match crate::Config::parse(&text) {
        Ok(config) if config.source.github.last() == Some(source) => {
            write_durably(&path, text.as_bytes(), 0o644)
        }
        _ => Err(AppError::Other(format!(
            "`{}` is written in a way nothing can be appended to; add this by hand:\n[[source.github]]\n{block}",
            path.display()
        ))),
    }
}

/// Writes a file so that after a crash it is either whole or what it was.
pub(crate) fn write_durably(path: &Path, bytes: &[u8], mode: u32) -> Result<(), AppError> {
    put_durably(path, bytes, mode, |temporary| fs::rename(temporary, path).map(|()| true)).map(drop)
}

/// Writes a file that is not there yet, whole or not at all. Whether it was made: of two processes that try at once, one
/// makes it, and the other must take what that one wrote.
pub(crate) fn make_durably(path: &Path, bytes: &[u8], mode: u32) -> Result<bool, AppError> {
    put_durably(path, bytes, mode, |temporary| {
        let linked = fs::hard_link(temporary, path);
        // A left-over only takes space.
        let _ = fs::remove_file(temporary);
        match linked {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            other => other.map(|()| true),
        }
    })
}

fn put_durably(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    place: impl FnOnce(&Path) -> std::io::Result<bool>,
) -> Result<bool, AppError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    let result = (|| {
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let placed = place(&temporary)?;
        path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())?;
        Ok(placed)
    })();
    result.map_err(AppError::file("write", path))
}

/// The wrapping key: from `TICKMARK_KEY_FILE`, a systemd credential, or a file in the user's configuration folder that
/// is made when it is not there. Gives the key, its file, and whether it was made just now.
///
/// # Errors
/// A file that cannot be read or holds no key, or no home.
pub fn wrapping_key(
    environment: &Environment,
    entropy: &mut dyn FnMut(&mut [u8]) -> std::io::Result<()>,
) -> Result<([u8; 32], PathBuf, bool), AppError> {
    if let Some((key, path)) = existing_wrapping_key(environment)? {
        return Ok((key, path, false));
    }
    let folder = key_folder(environment)?;
    let path = folder.join("key");
    fs::create_dir_all(&folder).map_err(AppError::file("make the folder", &folder))?;
    let mut key = [0; 32];
    entropy(&mut key).map_err(|e| AppError::Other(format!("the system gave no randomness: {e}")))?;
    let text: String = key.iter().map(|b| format!("{b:02x}")).chain(["\n".to_owned()]).collect();
    if make_durably(&path, text.as_bytes(), 0o600)? {
        return Ok((key, path, true));
    }
    // Another process made one in the same moment: evidence under two keys could not be read.
    Ok((read_key(&path)?, path, false))
}

/// The wrapping key and its file, as [`wrapping_key`] finds them; `None` where it would make one.
///
/// # Errors
/// A file that cannot be read or holds no key, or no home.
pub fn existing_wrapping_key(environment: &Environment) -> Result<Option<([u8; 32], PathBuf)>, AppError> {
    let credential = environment.credentials.as_ref().map(|d| d.join("tickmark-key")).filter(|p| p.is_file());
    let path = match environment.key_file.clone().or(credential) {
        Some(path) => path,
        None => {
            let path = key_folder(environment)?.join("key");
            if !path.is_file() {
                return Ok(None);
            }
            path
        }
    };
    Ok(Some((read_key(&path)?, path)))
}

fn key_folder(environment: &Environment) -> Result<PathBuf, AppError> {
    let config = environment.config_home.clone();
    let config = config.or_else(|| environment.home.as_ref().map(|home| home.join(".config")));
    Ok(config.ok_or(AppError::NoHome)?.join("tickmark"))
}

fn read_key(path: &Path) -> Result<[u8; 32], AppError> {
    let bytes = fs::read(path).map_err(AppError::file("read the key file", path))?;
    if let Ok(key) = <[u8; 32]>::try_from(bytes.as_slice()) {
        return Ok(key);
    }
    let bad = || AppError::Key {
        path: path.to_owned(),
        reason: "it must hold 32 bytes, or 64 hexadecimal digits".to_owned(),
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| bad())?.trim();
    if text.len() != 64 || !text.is_ascii() {
        return Err(bad());
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(home: &Path) -> Environment {
        Environment { current: home.join("work/app"), home: Some(home.to_owned()), ..Environment::default() }
    }

    #[test]
    fn the_nearest_configuration_upwards_is_the_workspace() {
        let home = tempfile::tempdir().unwrap();
        let env = environment(home.path());
        fs::create_dir_all(&env.current).unwrap();
        let found = find(&env, None).unwrap();
        assert_eq!(found, Place { folder: home.path().join(".local/share/tickmark"), by_default: true });
        init(&home.path().join("work"), "Halden Robotics").unwrap();
        let found = find(&env, None).unwrap();
        assert_eq!(found, Place { folder: home.path().join("work"), by_default: false });
        let error = find(&env, Some(Path::new("nowhere"))).unwrap_err().to_string();
        assert!(error.contains("is no workspace"), "{error}");
        assert!(init(&home.path().join("work"), "").unwrap_err().to_string().contains("already"));
    }

    #[test]
    fn without_a_home_nothing_is_written_anywhere() {
        let env = Environment { current: "/".into(), ..Environment::default() };
        assert!(matches!(find(&env, None), Err(AppError::NoHome)));
        assert!(matches!(wrapping_key(&env, &mut |_| Ok(())), Err(AppError::NoHome)));
    }

    #[test]
    fn a_key_is_made_once_and_only_for_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let env = environment(home.path());
        let mut entropy = |bytes: &mut [u8]| {
            bytes.fill(7);
            Ok(())
        };
        assert_eq!(existing_wrapping_key(&env).unwrap(), None);
        let (key, path, made) = wrapping_key(&env, &mut entropy).unwrap();
        assert_eq!((key, made), ([7; 32], true));
        assert_eq!(existing_wrapping_key(&env).unwrap(), Some((key, path.clone())));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (again, _, made) = wrapping_key(&env, &mut |_| panic!("it is there")).unwrap();
        assert_eq!((again, made), (key, false));
        fs::write(&path, "too short").unwrap();
        assert!(
            wrapping_key(&env, &mut |_| Ok(())).unwrap_err().to_string().contains("64 hexadecimal digits")
        );
    }
}
