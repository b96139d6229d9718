//! Entries of a host: files, folders and code, and what is said of a wrong one.

use std::fs;

use tool_connect_core::ErrorKind;
use tool_connect_oauth::catalog::{Catalog, Lifetime, ProviderEntry, TimeUnit};

use super::toml;

/// What `docs/providers.md` shows.
fn documented() -> String {
    let page = include_str!("../../../../docs/providers.md");
    let (_, rest) = page.split_once("```toml\n").expect("the page shows an entry");
    rest.split_once("```").expect("the entry ends").0.to_owned()
}

#[test]
fn the_entry_of_the_documentation_is_right() {
    let entry = ProviderEntry::from_toml(&documented()).unwrap();
    let provider = entry.resolve(&entry.example_config()).unwrap();
    assert_eq!(provider.id(), "acme_crm");
    assert_eq!(provider.endpoints.token.host_str(), Some("acme.crm.example"));
    let lifetime = Lifetime::new("/data/ttl", TimeUnit::Milliseconds);
    assert_eq!(entry.token_response.expires_in, lifetime);
    let written = serde_json::to_string(&lifetime).unwrap();
    assert_eq!(serde_json::from_str::<Lifetime>(&written).unwrap(), lifetime);
    assert_eq!(serde_json::to_value(Lifetime::from("/ttl")).unwrap(), "/ttl");
}

#[test]
fn an_unknown_key_is_told_with_file_line_and_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.toml");
    fs::write(&path, toml("clientauth = [\"basic\"]")).unwrap();
    let error = ProviderEntry::from_file(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    for part in
        ["acme.toml, line 4", "clientauth = [\"basic\"]", "unknown field `clientauth`", "`client_auth`"]
    {
        assert!(error.message().contains(part), "{part}: {}", error.message());
    }
}

#[test]
fn what_is_wrong_is_told_by_its_key() {
    for (more, parts) in [
        ("client_auth = []", vec!["`client_auth` is empty", "`private_key_jwt`"]),
        ("client_auth = [\"magic\"]", vec!["line 4", "unknown variant `magic`"]),
        ("pkce = true", vec!["line 4", "pkce = true"]),
        ("authorize_params = { state = \"x\" }", vec!["`authorize_params.state`", "take it out"]),
        (
            "token_response = { access_token = \"token\" }",
            vec!["`token_response.access_token`", "`/user/id`"],
        ),
        ("scopes = { separator = \"\" }", vec!["`scopes.separator` is empty"]),
        (
            "scopes = { known = { read = \" \" } }",
            vec!["`scopes.known.\"read\"`", "say what the scope allows"],
        ),
        ("probe = { id = [], label = [\"/name\"] }", vec!["`probe.id` is empty"]),
        ("probe = { id = [\"/id\"], label = [] }", vec!["`probe.label` is empty"]),
        (
            "probe = { id = [\"/id\"], label = [\"/name\"] }",
            vec!["reads `/id`, which is not kept", "`token_response.extra`"],
        ),
        ("probe = { id = [\"id\"], label = [\"/name\"] }", vec!["`probe.id` is no JSON pointer"]),
        (
            "probe = { id = [\"/id\"], label = [\"/n\"], request = { url = \"https://acme.example/\", json = \"{\" } }",
            vec!["`probe.request.json` is no JSON"],
        ),
        (
            "parameters = { site = { description = \"d\", pattern = \"(\", example = \"a\" } }",
            vec!["`parameters.site.pattern` is no regular expression"],
        ),
        (
            "parameters = { site = { description = \"d\", pattern = \"a\", example = \"b\" } }",
            vec!["`parameters.site.example` does not match"],
        ),
        (
            "parameters = { site = { description = \"d\", pattern = \"a\", example = \"a\", default = \"c\" } }",
            vec!["`parameters.site.default` does not match"],
        ),
        (
            "authorize_names = { client_id = \"key\", redirect_uri = \"key\" }",
            vec!["`authorize_names` gives two parameters one name"],
        ),
        ("token_request = { names = { code = \"\" } }", vec!["`token_request.names` gives"]),
        ("refresh = { access_lifetime = \"soon\" }", vec!["line 4", "`soon` is not a duration"]),
        ("issuer = \"http://acme.example\"", vec!["`issuer` must be `https`"]),
    ] {
        let error = ProviderEntry::from_toml(&toml(more)).unwrap_err();
        for part in parts {
            assert!(error.message().contains(part), "{more}: {}", error.message());
        }
    }
    let error = ProviderEntry::from_toml(&toml("").replace("\"acme\"", "\"Acme-CRM\"")).unwrap_err();
    assert!(error.message().contains("the provider's id `Acme-CRM`"), "{}", error.message());
    let error = ProviderEntry::from_toml("id = \"acme\"\nname = \"Acme\"\n").unwrap_err();
    assert!(error.message().contains("missing field `documentation`"), "{}", error.message());
    let error = ProviderEntry::from_toml("id = ").unwrap_err();
    assert!(error.message().contains("line 1"), "{}", error.message());
}

#[test]
fn files_and_folders_add_entries_and_other_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("acme.toml"), toml("")).unwrap();
    fs::write(folder.path().join("other.toml"), toml("").replace("\"acme\"", "\"other\"")).unwrap();
    fs::write(folder.path().join("README.md"), "not an entry").unwrap();
    fs::create_dir(folder.path().join("old.toml")).unwrap();
    let catalog = Catalog::builtin().unwrap().with_folder(folder.path()).unwrap();
    assert_eq!(catalog.get("acme").unwrap().name, "Acme");
    assert_eq!(catalog.get("other").unwrap().id, "other");
    assert_eq!(catalog.get("github").unwrap().name, "GitHub");
    let catalog = Catalog::empty().with_file(folder.path().join("acme.toml")).unwrap();
    assert_eq!(catalog.iter().count(), 1);
    let error = Catalog::empty().with_folder(folder.path().join("none")).unwrap_err();
    assert!(error.message().contains("none cannot be read"), "{}", error.message());
}

#[test]
fn a_taken_id_is_told_and_replaced_only_where_that_is_said() {
    let catalog = Catalog::builtin().unwrap();
    let mut own = ProviderEntry::new("github", "https://github.acme.example/token");
    own.name = "Our GitHub".into();
    let error = catalog.clone().with_entry(own.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("`catalog.replacing(entry)`"), "{}", error.message());
    let replaced = catalog.clone().replacing(own).unwrap();
    assert_eq!(replaced.get("github").unwrap().name, "Our GitHub");
    // The one it was made from is untouched.
    assert_eq!(catalog.get("github").unwrap().name, "GitHub");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, toml("").replace("\"acme\"", "\"slack\"")).unwrap();
    let error = catalog.clone().with_file(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("mine.toml"), "{}", error.message());
    let replaced = catalog.replacing(ProviderEntry::from_file(&path).unwrap()).unwrap();
    assert_eq!(replaced.get("slack").unwrap().name, "Acme");
}

#[test]
fn an_entry_made_in_code_is_checked_too() {
    let error =
        Catalog::empty().with_entry(ProviderEntry::new("acme", "http://acme.example/token")).unwrap_err();
    assert!(error.message().contains("`endpoints.token` must be `https`"), "{}", error.message());
    let error = Catalog::empty().replacing(ProviderEntry::new("no id", "https://acme.example/")).unwrap_err();
    assert!(error.message().contains("`no id`"), "{}", error.message());
}

#[test]
fn an_unknown_provider_is_told_with_near_ones() {
    let catalog = Catalog::builtin().unwrap();
    for (asked, near) in [
        ("githb", "`github`"),
        ("GitHub", "`github`"),
        ("github-app", "`github_app`"),
        ("git_hub", "`github`"),
        ("slak", "`slack`"),
        ("slackuser", "`slack_user`"),
        ("micro", "`microsoft`"),
    ] {
        let error = catalog.get(asked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.message().contains(near), "{asked}: {}", error.message());
    }
    let far = catalog.get("something_else").unwrap_err();
    assert!(far.message().contains("docs/providers.md"), "{}", far.message());
    let hostile = catalog.get(&"x\n\u{202e}".repeat(5000)).unwrap_err();
    assert!(hostile.message().len() < 1000 && !hostile.message().contains('\n'), "{}", hostile.message());
}

#[test]
fn a_file_that_is_no_entry_is_refused_by_its_size_and_its_letters() {
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.toml");
    fs::write(&large, vec![b'#'; (256 << 10) + 1]).unwrap();
    let error = ProviderEntry::from_file(&large).unwrap_err();
    assert!(
        error.message().contains("large.toml") && error.message().contains("262144"),
        "{}",
        error.message()
    );
    let binary = folder.path().join("binary.toml");
    fs::write(&binary, [0xff, 0xfe]).unwrap();
    assert!(ProviderEntry::from_file(&binary).unwrap_err().message().contains("binary.toml"));
    assert!(ProviderEntry::from_file(folder.path().join("none.toml")).is_err());
}

#[test]
fn an_entry_survives_being_written_and_read() {
    for entry in Catalog::builtin().unwrap().iter() {
        let text = serde_json::to_string(&**entry).unwrap();
        let again: ProviderEntry = serde_json::from_str(&text).unwrap();
        assert_eq!(again, **entry, "{}", entry.id);
    }
}
