//! Everything that can go wrong between the SDK and HoneyHive: see `table`, and `tls` for certificates and proxies.

mod table;
mod tls;
