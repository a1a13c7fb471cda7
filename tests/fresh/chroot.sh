# chroot.sh - for tests written in bash that need a clean Debian: made once by debootstrap,
# kept in build/chroot, and unpacked for each test.
#
# Source it with `root` set to the top of the tree. It needs root's rights, and the
# package archive of this machine.
chroots=$root/build/chroot

need_root() {
    if [ "$(id -u)" != 0 ]; then
        echo "$1: a clean Debian needs root: sudo $0" >&2
        exit 1
    fi
}

# The archive that this machine takes its own packages from.
find_mirror() {
    local mirror
    mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2> /dev/null |
        grep -oE 'https?://[^ ]*/debian/?( |$)' | head -n 1)
    echo "${mirror:-http://deb.debian.org/debian}"
}

make_base() {
    local base=$chroots/base.new suite
    [ ! -e "$chroots/base.tar" ] || return 0
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    rm -rf "$base"
    mkdir -p "$chroots/archives"
    debootstrap --variant=minbase --include=sudo --cache-dir="$chroots/archives" "$suite" \
        "$base" "$(find_mirror)" > "$chroots/debootstrap.log" 2>&1 || {
        tail -n 20 "$chroots/debootstrap.log"
        return 1
    }
    # The system is thrown away, so nothing has to reach the disk.
    echo force-unsafe-io > "$base/etc/dpkg/dpkg.cfg.d/unsafe-io"
    apt-config dump | grep '^Acquire::' > "$base/etc/apt/apt.conf.d/99here" || true
    echo '127.0.0.1 localhost clean' > "$base/etc/hosts"
    chroot "$base" apt-get -qq update
    # "reader" may become root, "guest" may not.
    chroot "$base" useradd -m -s /bin/bash reader
    chroot "$base" useradd -m -s /bin/bash guest
    echo 'reader ALL=(ALL) NOPASSWD: ALL' > "$base/etc/sudoers.d/reader"
    tar -C "$base" -cf "$chroots/base.tar.new" . && mv "$chroots/base.tar.new" "$chroots/base.tar"
    rm -rf "$base"
}

# new_chroot NAME: a clean system in $clean.
new_chroot() {
    make_base || exit 1
    clean=$chroots/$1
    rm -rf "$clean"
    mkdir -p "$clean"
    tar -C "$clean" -xf "$chroots/base.tar"
    cp -L /etc/resolv.conf "$clean/etc/resolv.conf"
}

# inside USER COMMAND: run by bash in $clean, in the user's home. The mounts go with the
# last process, and no process stays.
inside() {
    unshare --mount --pid --uts --fork --kill-child bash -eu -c '
        hostname clean
        mount --bind "$1" "$1" # a root is where something is mounted
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev" # with its terminals
        mount --rbind /sys "$1/sys"
        mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
        mount --bind "$2/archives" "$1/var/cache/apt/archives"
        home=/home/$3
        [ "$3" != root ] || home=/root
        exec chroot --userspec="$3:$3" "$1" /usr/bin/env -i HOME=$home USER=$3 LC_ALL=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            DEBIAN_FRONTEND=noninteractive bash -c "cd; $4"
    ' inside "$clean" "$chroots" "$1" "$2" < /dev/null
}

# The names of the packages in $clean.
installed_packages() {
    inside root "dpkg-query -W -f='\${binary:Package}\n'" | sort
}

# give_sources USER: this tree, as far as git knows it or does not ignore it, in ~/mmf.
give_sources() {
    local home=$clean/home/$1
    mkdir -p "$home/mmf"
    list_sources | tar -C "$root" --null -T - -cf - | tar -C "$home/mmf" -xf -
    chroot "$clean" chown -R "$1:$1" "/home/$1/mmf"
}

list_sources() {
    if git -C "$root" rev-parse > /dev/null 2>&1; then
        (cd "$root" && git ls-files -z --cached --others --exclude-standard --deduplicate |
            while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done)
    else # an unpacked archive
        (cd "$root" && find . -path ./build -prune -o -type f -print0)
    fi
}
