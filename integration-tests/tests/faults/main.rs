//! Everything goes wrong that can between the SDK and HoneyHive: see `table`, and `tls` for certificates and proxies.

mod table;
mod tls;
