# Dump the database of DATABASE_URL into backups\ (or BACKUP_DIR), on Windows:
#
#   powershell.exe -File ops\backup_db.ps1        (Task Scheduler; by hand with -DatabaseUrl and -BackupDir, too)
#
# The same rules as backup_db.sh: a dump has its name only when it is whole and pg_restore can read it; dumps older than
# 7 days go when a new one is there, never otherwise; the moment is noted in the database.
param(
    [string]$DatabaseUrl = $env:DATABASE_URL,
    [string]$BackupDir = $env:BACKUP_DIR
)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2

function Stop-Backup([string]$Sentence) {
    [Console]::Error.WriteLine($Sentence)
    exit 1
}

$root = Split-Path -Parent $PSScriptRoot
$dotEnv = Join-Path $root '.env'
if (-not $DatabaseUrl -and (Test-Path $dotEnv)) {
    $line = Get-Content $dotEnv | Where-Object { $_ -match '^\s*(export )?DATABASE_URL=' } | Select-Object -Last 1
    if ($line) { $DatabaseUrl = ($line -replace '^[^=]*=', '').Trim().Trim('"').Trim("'") }
}
if (-not $DatabaseUrl) { Stop-Backup 'DATABASE_URL is not set; expected postgres://user:password@host/name.' }
# postgresql+asyncpg://… is what older configurations say
if ($DatabaseUrl -notmatch '^(postgres|postgresql|postgresql\+asyncpg|postgresql\+psycopg|pgsql)://(?<rest>.+)$') {
    Stop-Backup 'DATABASE_URL is not valid; expected postgres://user:password@host/name.'
}
$address = [Uri]('postgres://' + $Matches['rest'])
$name = [Uri]::UnescapeDataString($address.AbsolutePath.TrimStart('/'))
if (-not $name) { Stop-Backup 'DATABASE_URL is not valid; expected postgres://user:password@host/name.' }
# in the environment, because arguments are seen by everybody on the machine
$env:PGDATABASE = $name
if ($address.Host) { $env:PGHOST = $address.Host }
if ($address.Port -gt 0) { $env:PGPORT = [string]$address.Port }
$user, $password = $address.UserInfo -split ':', 2
if ($user) { $env:PGUSER = [Uri]::UnescapeDataString($user) }
if ($password) { $env:PGPASSWORD = [Uri]::UnescapeDataString($password) }
if ($address.Query -match '[?&](ssl|sslmode)=(?<mode>[^&]+)') { $env:PGSSLMODE = $Matches['mode'] }

foreach ($program in 'pg_dump', 'pg_restore', 'psql') {
    if (-not (Get-Command $program -ErrorAction SilentlyContinue)) {
        Stop-Backup "$program is needed: install the command line tools of PostgreSQL and add them to PATH."
    }
}

if (-not $BackupDir) { $BackupDir = 'backups' }
if (-not [IO.Path]::IsPathRooted($BackupDir)) { $BackupDir = Join-Path $root $BackupDir }
New-Item -ItemType Directory -Force -Path $BackupDir | Out-Null
$file = 'pg_' + [DateTime]::UtcNow.ToString('yyyyMMdd_HHmmss') + 'Z.dump'
$dump = Join-Path $BackupDir $file
$part = Join-Path $BackupDir ".$file.part"

$ErrorActionPreference = 'Continue' # what pg_dump writes to stderr is no error by itself
try {
    & pg_dump "--format=custom" "--no-password" "--file=$part"
    if ($LASTEXITCODE -ne 0) { Stop-Backup "The dump failed; nothing was changed in $BackupDir." }
    & pg_restore "--list" $part | Out-Null
    if ($LASTEXITCODE -ne 0 -or (Get-Item $part).Length -eq 0) {
        Stop-Backup "The dump cannot be read back; nothing was changed in $BackupDir."
    }
    Move-Item -Path $part -Destination $dump -ErrorAction Stop
}
finally {
    Remove-Item -Path $part -Force -ErrorAction SilentlyContinue
}

$oldest = [DateTime]::UtcNow.AddDays(-7)
Get-ChildItem -Path $BackupDir -Filter 'pg_*.dump' -File |
    Where-Object { $_.LastWriteTimeUtc -lt $oldest -and $_.Name -ne $file } |
    Remove-Item -Force
$size = (Get-Item $dump).Length
$note = "INSERT INTO heartbeats(name, beat_at, details) VALUES ('backup', now(), jsonb_build_object('file', '$file', 'bytes', $size)) " +
    'ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at, details = excluded.details'
& psql "--no-psqlrc" "--quiet" "--no-password" "--set=ON_ERROR_STOP=1" "--command=$note" | Out-Null
if ($LASTEXITCODE -ne 0) { [Console]::Error.WriteLine('The moment could not be noted in the database.') }
Write-Output $dump
