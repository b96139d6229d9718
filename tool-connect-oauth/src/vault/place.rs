//! Where sealed values of the credential store belong: one rule, so that rotation and checks find the place of each row.

use tool_connect_core::store::{CredentialKey, CredentialKind, StoredCredential};
use tool_connect_core::{Owner, SealedPlace, TenantId};

/// The field of a stored credential that holds the secret.
const FIELD: &str = "secret";

/// Where the secret of a credential belongs. Whoever seals one for a
/// [`CredentialStore`](tool_connect_core::store::CredentialStore) seals it for this place.
///
/// ```
/// use tool_connect_core::store::{CredentialKey, CredentialKind};
/// use tool_connect_core::{Owner, TenantId, UserId};
/// use tool_connect_oauth::vault::credential_place;
///
/// let key = CredentialKey::new(CredentialKind::Connection, "c-17");
/// let place = credential_place(&TenantId::new("acme")?, &Owner::User(UserId::new("ada")?), &key);
/// assert_eq!((place.record.as_str(), place.field.as_str()), ("connection:c-17", "secret"));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[must_use]
pub fn credential_place(tenant: &TenantId, owner: &Owner, key: &CredentialKey) -> SealedPlace {
    SealedPlace::new(tenant.clone(), owner.clone(), key.to_string(), FIELD)
}

/// Where the secret of a stored credential belongs: [`credential_place`] of its parts.
#[must_use]
pub fn place_of(credential: &StoredCredential) -> SealedPlace {
    credential_place(&credential.tenant, &credential.owner, &credential.key)
}

/// The name under which a subject's key is stored: `user:<id>`, `team:<id>` or `tenant`.
#[must_use]
pub fn subject_key(subject: &Owner) -> CredentialKey {
    let id = match subject {
        Owner::User(user) => format!("user:{user}"),
        Owner::Team(team) => format!("team:{team}"),
        Owner::Tenant => "tenant".to_owned(),
    };
    CredentialKey::new(CredentialKind::SubjectKey, id)
}
