//! Seals, opens and rewraps, given the keys that take part.

use std::sync::Arc;

use tool_connect_core::{Result, Rewrapped, SealedPlace};

use super::derive::{PayloadKey, SubjectPrk};
use super::fault::at;
use super::format::{Aad, Algorithm, Sealed, header};
use super::provider::{DataKey, KeyProvider, WrapContext};

pub(super) struct Engine {
    pub(super) provider: Arc<dyn KeyProvider>,
}

impl Engine {
    pub(super) async fn seal(
        &self,
        algorithm: Algorithm,
        subject: &SubjectPrk,
        place: &SealedPlace,
        secret: &[u8],
    ) -> Result<(Vec<u8>, Arc<str>)> {
        let key_id = self.provider.current(&place.tenant).await?;
        let data_key = DataKey::generate()?;
        let aad = Aad::new(algorithm, place, &key_id);
        let context = WrapContext::new(&place.tenant, &key_id, aad.of_key());
        let wrapped = self.provider.wrap(context, &data_key).await.map_err(|e| at(e, place, &key_id))?;
        let commitment = subject.commitment(&data_key)?;
        let mut bytes = header(algorithm, &key_id, &commitment, &wrapped, secret.len() + super::format::TAG)?;
        subject.payload_key(&data_key)?.seal_once(aad.of_payload(), secret, &mut bytes)?;
        Ok((bytes, key_id))
    }

    /// The payload's key, its commitment checked.
    pub(super) async fn key(
        &self,
        subject: &SubjectPrk,
        place: &SealedPlace,
        sealed: &Sealed<'_>,
        aad: &Aad,
    ) -> Result<PayloadKey> {
        let data_key = self.unwrap(place, sealed, aad).await?;
        subject.open_with(&data_key, sealed.commitment).map_err(|e| at(e, place, sealed.key_id))
    }

    /// The secret; the caller wipes it.
    pub(super) async fn open(
        &self,
        subject: &SubjectPrk,
        place: &SealedPlace,
        sealed: &Sealed<'_>,
    ) -> Result<Vec<u8>> {
        let aad = Aad::new(sealed.algorithm, place, sealed.key_id);
        let key = self.key(subject, place, sealed, &aad).await?;
        key.open(aad.of_payload(), sealed.payload).map_err(|e| at(e, place, sealed.key_id))
    }

    /// Whether the provider's key of this id is the one that the value was sealed with.
    pub(super) async fn fits(&self, place: &SealedPlace, sealed: &Sealed<'_>) -> Result<()> {
        let aad = Aad::new(sealed.algorithm, place, sealed.key_id);
        self.unwrap(place, sealed, &aad).await.map(drop)
    }

    /// Wraps the data key anew and leaves the rest: neither the payload's key nor the secret comes into being.
    pub(super) async fn rewrap(&self, place: &SealedPlace, sealed: &Sealed<'_>) -> Result<Rewrapped> {
        let current = self.provider.current(&place.tenant).await?;
        if *current == *sealed.key_id {
            return Ok(Rewrapped::Current);
        }
        let aad = Aad::new(sealed.algorithm, place, sealed.key_id);
        let data_key = self.unwrap(place, sealed, &aad).await?;
        let aad = Aad::new(sealed.algorithm, place, &current);
        let context = WrapContext::new(&place.tenant, &current, aad.of_key());
        let wrapped = self.provider.wrap(context, &data_key).await.map_err(|e| at(e, place, &current))?;
        let mut bytes =
            header(sealed.algorithm, &current, sealed.commitment, &wrapped, sealed.payload.len())?;
        bytes.extend_from_slice(sealed.payload);
        Ok(Rewrapped::Changed(bytes))
    }

    async fn unwrap(&self, place: &SealedPlace, sealed: &Sealed<'_>, aad: &Aad) -> Result<DataKey> {
        let context = WrapContext::new(&place.tenant, sealed.key_id, aad.of_key());
        self.provider.unwrap(context, sealed.wrapped).await.map_err(|e| at(e, place, sealed.key_id))
    }
}
