using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Composition;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Simplification;

namespace Mmf.Analyzers;

/// <summary>
/// Lets a file use mmf's types: every name in it that means one of .NET's. Not only where the
/// diagnostic is, because one of mmf's is not assigned to a variable of .NET's type.
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
public sealed class UseMmf : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create("MMF001", "MMF002");

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() =>
        FixAllProvider.Create(static async (context, document, diagnostics) =>
            diagnostics.IsEmpty ? document : await Fix(document, diagnostics[0].Id, context.CancellationToken));

    /// <inheritdoc/>
    public override Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        Diagnostic diagnostic = context.Diagnostics[0];

        context.RegisterCodeFix(
            CodeAction.Create(diagnostic.Id == "MMF001" ? "Use mmf's maps in this file"
                                                        : "Use mmf's mutexes, events and semaphores in this file",
                              cancel => Fix(context.Document, diagnostic.Id, cancel), diagnostic.Id),
            diagnostic);
        return Task.CompletedTask;
    }

    private static async Task<Document> Fix(Document document, string id, CancellationToken cancel)
    {
        SyntaxNode? root = await document.GetSyntaxRootAsync(cancel).ConfigureAwait(false);
        SemanticModel? model = await document.GetSemanticModelAsync(cancel).ConfigureAwait(false);
        ImmutableHashSet<string> types = id == "MMF001" ? SystemTypes.OfMaps : SystemTypes.OfSync;
        var replaced = new Dictionary<SyntaxNode, SyntaxNode>();

        if (root == null || model == null)
            return document;
        foreach (IdentifierNameSyntax name in root.DescendantNodes().OfType<IdentifierNameSyntax>())
        {
            string? type = name.IsVar || SystemTypes.IsInUsing(name)
                ? null
                : SystemTypes.Find(model.GetSymbolInfo(name, cancel).Symbol, types);
            if (type != null && type.EndsWith("." + name.Identifier.ValueText, StringComparison.Ordinal))
                Replace(name, replaced);
        }
        return document.WithSyntaxRoot(root.ReplaceNodes(replaced.Keys, (old, _) => replaced[old]));
    }

    // In an expression `System.Threading.Mutex` is an access to a member, elsewhere a name.
    private static void Replace(IdentifierNameSyntax name, Dictionary<SyntaxNode, SyntaxNode> replaced)
    {
        string text = "global::Mmf." + name.Identifier.ValueText;

        if (name.Parent is MemberAccessExpressionSyntax access && access.Name == name)
            replaced[access] = Short(SyntaxFactory.ParseExpression(text), access);
        else
        {
            NameSyntax whole = SystemTypes.Whole(name);
            SyntaxNode mmf = whole.Parent is MemberAccessExpressionSyntax outer && outer.Expression == whole
                ? SyntaxFactory.ParseExpression(text)
                : SyntaxFactory.ParseName(text);
            replaced[whole] = Short(mmf, whole);
        }
    }

    // Without `global::` where nothing else is called Mmf.
    private static SyntaxNode Short(SyntaxNode mmf, SyntaxNode old) =>
        mmf.WithTriviaFrom(old).WithAdditionalAnnotations(Simplifier.Annotation);
}
