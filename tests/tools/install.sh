# To be sourced: what tests and benchmarks run beside our program.

# install_debian "WHAT PACKAGE"…: WHAT is a program that is run, or the path of
# a library; its package is installed where it is missing.
install_debian() {
    local entry missing=()
    for entry in "$@"; do
        is_there "${entry%% *}" || missing+=("${entry##* }")
    done
    python3 -c "import ensurepip" 2>/dev/null || missing+=(python3-venv)
    ((${#missing[@]} > 0)) || return 0
    as_root apt-get update --quiet
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
    # Their packages start servers of their own; whoever needs one starts it.
    if [[ " ${missing[*]} " == *" postgresql "* ]]; then as_root service postgresql stop; fi
    if [[ " ${missing[*]} " == *" nginx-light "* ]]; then as_root service nginx stop; fi
    if [[ " ${missing[*]} " == *" prometheus "* ]]; then as_root service prometheus stop; fi
}

# install_python FOLDER REQUIREMENTS: an environment with the versions that are
# listed, made anew where they have changed.
install_python() {
    local there=$1 requirements=$2
    if ! cmp --silent "${requirements}" "${there}/requirements.txt"; then
        rm -rf "${there}"
        mkdir -p "$(dirname "${there}")"
        python3 -m venv "${there}"
        "${there}/bin/pip" install --quiet --disable-pip-version-check --requirement "${requirements}"
        cp "${requirements}" "${there}/requirements.txt"
    fi
}

is_there() {
    if [[ $1 == /* ]]; then [[ -e $1 ]]; else command -v "$1" >/dev/null; fi
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}
