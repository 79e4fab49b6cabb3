# SPDX-License-Identifier: GPL-2.0-only
# bash completion for machvmctl(8)
# shellcheck shell=bash

_machvmctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local words='--json --help --version' files='' verb='' word
	local -a pids

	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in
		-*) ;;
		list | serve)
			[ "$verb" = pager ] && verb="pager $word"
			;;
		*) verb=${verb:-$word} ;;
		esac
	done
	case $verb in
	'') words="status stat map object pager cat trace default-pager $words" ;;
	map)
		pids=(/proc/[0-9]*)
		words="${pids[*]#/proc/} $words"
		;;
	object) words="--tree --dot $words" ;;
	pager) words="list serve $words" ;;
	'pager serve')
		words="--listen --log --ready-fd --write $words"
		files=yes
		;;
	cat)
		words='--copy --offset --length --help --version'
		files=yes
		;;
	default-pager)
		words="--ready-fd $words"
		files=yes
		;;
	trace) words="--object --pager --time --ready-fd $words" ;;
	esac
	case $prev in
	--listen | --log) words='' files=yes ;;
	--ready-fd | --offset | --length | --object | --pager) words='' files='' ;;
	esac
	mapfile -t COMPREPLY < <(
		compgen -W "$words" -- "$cur"
		[ -z "$files" ] || compgen -f -- "$cur"
	)
	[ -z "$files" ] || compopt -o filenames
}

complete -F _machvmctl machvmctl
