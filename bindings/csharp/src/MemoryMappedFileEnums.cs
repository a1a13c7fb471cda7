using System;

#if MMF_FACADE
namespace System.IO.MemoryMappedFiles;
#else
namespace Mmf;
#endif

/// <inheritdoc cref="System.IO.MemoryMappedFiles.MemoryMappedFileAccess"/>
public enum MemoryMappedFileAccess
{
    /// <summary>Read and write.</summary>
    ReadWrite = 0,
    /// <summary>Read only.</summary>
    Read = 1,
    /// <summary>Write only; for views, and to open with CreateOrOpen.</summary>
    Write = 2,
    /// <summary>Read and write; what is written is seen by this view alone.</summary>
    CopyOnWrite = 3,
    /// <summary>Read and execute.</summary>
    ReadExecute = 4,
    /// <summary>Read, write and execute.</summary>
    ReadWriteExecute = 5,
}

/// <inheritdoc cref="System.IO.MemoryMappedFiles.MemoryMappedFileOptions"/>
[Flags]
public enum MemoryMappedFileOptions
{
    /// <summary>The bytes are reserved when the map is made.</summary>
    None = 0,
    /// <summary>The bytes are reserved when they are first used.</summary>
    DelayAllocatePages = 0x4000000,
}

/// <inheritdoc cref="System.IO.MemoryMappedFiles.MemoryMappedFileRights"/>
[Flags]
public enum MemoryMappedFileRights
{
    /// <summary>Read, and write for oneself.</summary>
    CopyOnWrite = 0x1,
    /// <summary>Write.</summary>
    Write = 0x2,
    /// <summary>Read.</summary>
    Read = 0x4,
    /// <summary>Read and write.</summary>
    ReadWrite = 0x6,
    /// <summary>Execute.</summary>
    Execute = 0x8,
    /// <summary>Read and execute.</summary>
    ReadExecute = 0xC,
    /// <summary>Read, write and execute.</summary>
    ReadWriteExecute = 0xE,
    /// <summary>Delete the map.</summary>
    Delete = 0x10000,
    /// <summary>Read the permissions.</summary>
    ReadPermissions = 0x20000,
    /// <summary>Change the permissions.</summary>
    ChangePermissions = 0x40000,
    /// <summary>Become the owner.</summary>
    TakeOwnership = 0x80000,
    /// <summary>All of these.</summary>
    FullControl = 0xF000F,
    /// <summary>Read and change the audit list; a privilege of Windows that Linux has not.</summary>
    AccessSystemSecurity = 0x1000000,
}
