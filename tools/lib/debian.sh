# Sourced by the tools: installs Debian packages that are missing, and nothing where all are there.

# need_swift: stops with a remedy where there is no Swift.
need_swift() {
  command -v swift >/dev/null 2>&1 && return
  echo "swift was not found in PATH: install Swift 6.3 from https://www.swift.org/install/linux/" >&2
  exit 1
}

# install_missing PACKAGE…: one apt-get for all that dpkg does not know as installed.
install_missing() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' \
      || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "Installing Debian packages: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      echo "these packages are missing and need root: apt-get install ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}

# What building mkstore needs beside Swift: the codecs that Kafka's data is compressed with.
codec_packages=(libzstd-dev zlib1g-dev liblz4-dev libsnappy-dev)
